package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mitchellh/go-wordwrap"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
)

// manPage is what flake/package.nix installs. It is made here and kept in the repository: the
// program need not carry the means to print it, and a cross build cannot run the program.
const manPage = "../flake/nbr.1"

// manDate is the day of the page: of its last change that a reader would notice.
const manDate = "2026-11-29"

// TestManPage makes the page anew from the commands and options that the program has.
func TestManPage(t *testing.T) {
	got := man(cmd.Program(all.Kinds()...))
	if *update {
		if err := os.WriteFile(manPage, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(manPage)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("run go test ./cmd -run TestManPage -update (-have +want):\n%s", d)
	}
	judgeMan(t, string(want))
	recipe, err := os.ReadFile("../flake/package.nix")
	if err != nil || !strings.Contains(string(recipe), "install -D -m 644 flake/nbr.1 $out/share/man/man1/nbr.1\n") {
		t.Errorf("the package has no %s: %v", manPage, err)
	}
}

// dashesRE fits an option of nbr that is written with two dashes, up to the next command.
var dashesRE = regexp.MustCompile(`\bnbr (?:[a-z][^\n` + "`" + `|&#]* )?--[a-z]`)

// TestOneWayOfOptions wants options written with one dash in all that is read: nbr's help,
// its pages and its manual.
func TestOneWayOfOptions(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	blocks, err := filepath.Glob("../docs/blocks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range slices.Concat(pages, blocks, []string{"../README.md", "../CHANGELOG.md"}) {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if m := dashesRE.Find(b); m != nil {
			t.Errorf("%s: %s", page, m)
		}
	}
	// The manual is made of the help; a dash of its own is escaped there.
	if m := dashesRE.FindString(strings.ReplaceAll(string(man(cmd.Program(all.Kinds()...))), `\-`, "-")); m != "" {
		t.Errorf("the manual: %s", m)
	}
}

// The man macros that the page uses (man(7)), each with the number of arguments it takes.
var manMacros = map[string][2]int{
	"TH": {5, 5}, "SH": {1, 1}, "SS": {1, 1}, "PP": {0, 0}, "TP": {0, 0}, "EX": {0, 0}, "EE": {0, 0}, "B": {1, 1},
}

var (
	manMacroRE  = regexp.MustCompile(`^\.([A-Z]+)((?: "(?:[^"]|"")*")*)$`)
	manEscapeRE = regexp.MustCompile(`\\(?:-|e|&|\(aq|\(ga|\(ha|\(ti)`)
)

// judgeMan wants what groff -man -ww and mandoc -T lint want: known macros in their place, no
// line that is one by accident, no escape that there is not, ASCII, no blanks at the end.
func judgeMan(t *testing.T, page string) {
	t.Helper()
	example, before := false, ""
	for i, line := range strings.Split(strings.TrimSuffix(page, "\n"), "\n") {
		macro := ""
		switch m := manMacroRE.FindStringSubmatch(line); {
		case m != nil:
			macro = m[1]
			n, known := manMacros[macro]
			if args := strings.Count(m[2], ` "`); !known || args < n[0] || args > n[1] {
				t.Errorf("line %d: %q is no macro of the page", i+1, line)
			}
			switch macro {
			case "EX", "EE":
				if example == (macro == "EX") {
					t.Errorf("line %d: %s", i+1, line)
				}
				example = macro == "EX"
			case "PP":
				if strings.HasPrefix(before, ".S") || before == ".PP" {
					t.Errorf("line %d: a paragraph begins here already", i+1)
				}
			}
		case strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'"):
			t.Errorf("line %d: %q would be a macro", i+1, line)
		case line == "" && !example:
			t.Errorf("line %d: an empty line", i+1)
		}
		if strings.TrimRight(line, " \t") != line || strings.ContainsRune(line, '\t') {
			t.Errorf("line %d: %q has a tab, or ends in blanks", i+1, line)
		}
		if rest := manEscapeRE.ReplaceAllString(line, ""); strings.Contains(rest, `\`) || strings.ContainsFunc(rest, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %d: %q has an escape or a character that is not known", i+1, line)
		}
		before = line
	}
	if example || !strings.HasPrefix(page, ".TH ") {
		t.Error("the page ends in an example, or does not begin with .TH")
	}
}

// man is the manual page of a command line.
func man(c *cli.App) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH \"NBR\" \"1\" \"%s\" \"nbr %s\" \"User Commands\"\n", manDate, nbr.Version)
	fmt.Fprintf(&b, ".SH \"NAME\"\n%s \\- %s\n", c.Name, roff(c.Usage))
	fmt.Fprintf(&b, ".SH \"SYNOPSIS\"\n.B \"nbr\"\n%s\n", roff("COMMAND [OPTIONS] [ARGUMENTS]"))
	b.WriteString(".SH \"DESCRIPTION\"\n")
	manText(&b, c.Description)
	b.WriteString(".PP\nOptions stand before arguments.\n")
	manOptions(&b, c.Flags)
	b.WriteString(".SH \"COMMANDS\"\n")
	for _, sub := range c.Commands {
		if len(sub.Subcommands) == 0 {
			manCommand(&b, "nbr "+sub.Name, sub)
		}
		for _, inner := range sub.Subcommands {
			manCommand(&b, "nbr "+sub.Name+" "+inner.Name, inner)
		}
	}
	b.WriteString(".SH \"EXIT STATUS\"\n")
	for _, e := range []struct {
		code int
		text string
	}{
		{cmd.ExitOK, "All is well."},
		{cmd.ExitFailed, "A check failed: of a router, an image, a tree that is stale."},
		{cmd.ExitSpec, "The spec is wrong."},
		{cmd.ExitUnknown, "Something could not be looked at, or not be written."},
		{cmd.ExitUsage, "The command line is wrong."},
	} {
		fmt.Fprintf(&b, ".TP\n.B \"%d\"\n%s\n", e.code, roff(e.text))
	}
	fmt.Fprintf(&b, ".SH \"FILES\"\n.TP\n.B \"%s\"\nThe spec that a router was made of.\n", roff(cmd.DeviceSpec))
	b.WriteString(".SH \"ENVIRONMENT\"\n.TP\n.B \"NO_COLOR\"\nIf it is set, nothing is coloured.\n")
	b.WriteString(".SH \"SEE ALSO\"\n" + roff("nix(1), nixos-rebuild(8), nft(8)") + "\n")
	return b.Bytes()
}

func manCommand(b *bytes.Buffer, name string, c *cli.Command) {
	head := name
	if len(c.Flags) > 0 {
		head += " [OPTIONS]"
	}
	if c.ArgsUsage != "" {
		head += " " + c.ArgsUsage
	}
	fmt.Fprintf(b, ".SS \"%s\"\n%s.\n", roff(head), roff(strings.ToUpper(c.Usage[:1])+c.Usage[1:]))
	if c.Description != "" {
		b.WriteString(".PP\n")
		manText(b, c.Description)
	}
	manOptions(b, c.Flags)
}

// manText is a description: paragraphs, and examples where lines are indented.
func manText(b *bytes.Buffer, text string) {
	for i, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		example := false
		for line := range strings.SplitSeq(strings.TrimRight(part, "\n"), "\n") {
			indented := strings.HasPrefix(line, "   ")
			switch {
			case indented && !example:
				b.WriteString(".EX\n")
			case !indented && example:
				b.WriteString(".EE\n")
			}
			if example = indented; example {
				fmt.Fprintln(b, roff(strings.TrimRight(line, " ")))
			} else {
				b.WriteString(filled(line))
			}
		}
		if example {
			b.WriteString(".EE\n")
		}
	}
}

func manOptions(b *bytes.Buffer, flags []cli.Flag) {
	for _, f := range flags {
		names, usage, _ := strings.Cut(f.String(), "\t")
		fmt.Fprintf(b, ".TP\n.B \"%s\"\n%s", roff(names), filled(strings.TrimSuffix(strings.TrimSpace(usage), ".")+"."))
	}
}

// filled is a text in lines that are no longer than sources have them.
func filled(s string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(wordwrap.WrapString(s, 70), "\n") {
		fmt.Fprintln(&b, roff(strings.TrimSpace(line)))
	}
	return b.String()
}

// roff is a text as it stands in a manual page: groff_char(7) has what is else another sign.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "…", "...").Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
