package cmd

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mitchellh/go-wordwrap"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/flake/explain"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/service/reference"
)

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "what a code means; from generated Nix to the spec's line, and back", ArgsUsage: "CODE | FILE:LINE | ADDRESS [DIR]",
		Description: "With the code of a diagnostic: what it means, a spec that is wrong and how it reads when right.\n" +
			"With a line of a generated file: the line of the spec that made it.\n" +
			"With the address of a block: everything it became, also by blocks that name it, and how it is verified.\n\n" +
			"Examples:\n   nbr explain lock-out\n   nbr explain out/routers/bpi-r4/network.nix:12\n   nbr explain network.lan router/",
		Flags:  specFlags(),
		Action: a.explain,
	}
}

func (a *app) explain(c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return usage("nbr explain takes a code, FILE:LINE or the address of a block, as in network.lan, and for that the folder of the spec")
	}
	arg := c.Args().First()
	if _, code := reference.Explain(arg); c.NArg() == 2 && (code || lined(arg)) {
		return usage("%s needs no spec: nbr explain %s", arg, arg)
	}
	if text, ok := reference.Explain(arg); ok {
		return a.explainCode(c, arg, text)
	}
	if file, line, ok := cutLine(arg); ok {
		return a.explainLine(c, file, line)
	}
	// A block without a label has the name of a type, and none of them is like a code.
	if codes := reference.Codes(); strings.Contains(arg, "-") && !strings.Contains(arg, ".") {
		return usage("no diagnostic has the code %q.%s docs/codes.md lists them", arg, diag.Suggest(arg, codes))
	}
	return a.explainAddress(c, arg)
}

func (a *app) explainCode(c *cli.Context, code, text string) error {
	if wantsJSON(c) {
		return a.answer([]diag.JSONDiagnostic{}, map[string]any{"code": code, "text": text})
	}
	fmt.Fprint(a.Stdout, reflow(fmt.Sprintf("%s: %s", code, text), a.Columns))
	return nil
}

// reflow breaks the paragraphs of a text at the terminal's width; the lines of examples stay
// as they are, and with a width of 0 all do.
func reflow(text string, width int) string {
	if width <= 0 {
		return text
	}
	parts := strings.Split(text, "```")
	for i := 0; i < len(parts); i += 2 { // between the others is an example
		paragraphs := strings.Split(parts[i], "\n\n")
		for j, p := range paragraphs {
			end := p[len(strings.TrimRight(p, "\n")):]
			begin := p[:len(p)-len(strings.TrimLeft(p, "\n"))]
			if p = strings.Trim(p, "\n"); p != "" && !strings.Contains("\n"+p, "\n- ") {
				p = wordwrap.WrapString(strings.ReplaceAll(p, "\n", " "), uint(width))
				paragraphs[j] = begin + p + end
			}
		}
		parts[i] = strings.Join(paragraphs, "\n\n")
	}
	return strings.Join(parts, "```")
}

func wantsJSON(c *cli.Context) bool { return c.Bool("json") || c.String("format") == "json" }

// cutLine takes FILE:LINE apart.
func cutLine(s string) (file string, line int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(s[i+1:])
	return s[:i], line, err == nil
}

// lined tells whether an argument is FILE:LINE.
func lined(s string) bool {
	_, _, ok := cutLine(s)
	return ok
}

func (a *app) explainLine(c *cli.Context, file string, line int) error {
	dir := filepath.Dir(file)
	if _, err := os.Stat(file); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	if info, err := os.Stat(filepath.Join(dir, "spec")); err != nil || !info.IsDir() {
		return exit{ExitUnknown, fmt.Sprintf("%s is not made from a spec: the modules in routers/<name>/ are", file)}
	}
	specs, said, err := a.readOne(c, filepath.Join(dir, "spec"))
	if err != nil {
		return err
	}
	tree, err := a.build(specs)
	if err != nil {
		return err
	}
	name := path.Join(string(specs[0].Router.Name.V), filepath.Base(file))
	origins, ok := tree.Origins[name]
	have, err := source.ReadPath(file)
	switch {
	case err != nil:
		return exit{ExitUnknown, err.Error()}
	case !ok:
		return exit{ExitUnknown, fmt.Sprintf("%s is not made from a spec", file)}
	case line < 1 || line > bytes.Count(have, []byte("\n")):
		return usage("%s has no line %d", file, line)
	case !bytes.Equal(have, tree.Files[name]):
		return exit{ExitUnknown, fmt.Sprintf("%s was edited since it was generated, so its lines cannot be told apart", file)}
	}
	from := origins[line-1]
	if from == (nixgen.Origin{}) {
		if wantsJSON(c) {
			return a.answer(said, map[string]any{"file": file, "line": line, "from": nil})
		}
		fmt.Fprintf(a.Stdout, "%s:%d is there for every router; no line of the spec asks for it.\n", file, line)
		return nil
	}
	text := specs[0].Secrets().Line(from.File, specs[0].Source.Bytes(from.File), from.Line)
	if wantsJSON(c) {
		return a.answer(said, map[string]any{"file": file, "line": line, "from": map[string]any{
			"address": from.Addr, "file": filepath.Join(dir, "spec", from.File), "line": from.Line, "snippet": text,
		}})
	}
	fmt.Fprintf(a.Stdout, "%s:%d comes from %s\n  on %s line %d:\n%5d | %s\n", file, line, from.Addr,
		filepath.Join(dir, "spec", from.File), from.Line, from.Line, diag.Printable(text))
	return nil
}

// readOne reads the one spec of the command. What is wrong with it is told in the form
// that is asked for; what is said of a good one is returned where that is JSON.
func (a *app) readOne(c *cli.Context, dir string) ([]loaded, []diag.JSONDiagnostic, error) {
	if wantsJSON(c) {
		specs, said, err := a.read(c, []string{dir})
		if err != nil && said != nil {
			return nil, nil, errors.Join(a.answer(said, nil), err)
		}
		return specs, said, err
	}
	specs, err := a.load(c, []string{dir})
	return specs, nil, err
}

func (a *app) explainAddress(c *cli.Context, addr string) error {
	specs, said, err := a.readOne(c, cmp.Or(c.Args().Get(1), "."))
	if err != nil {
		return err
	}
	s := specs[0]
	names := blockNames(s)
	tree, err := a.build(specs)
	if err != nil {
		return err
	}
	own, others := explain.Address(s.Spec, tree, addr)
	if len(own) == 0 && !slices.Contains(names, addr) {
		return exit{ExitSpec, fmt.Sprintf("the spec in %s has no block %s.%s", s.dir, addr, diag.Suggest(addr, append(names, reference.Codes()...)))}
	}
	if wantsJSON(c) {
		return a.answer(said, map[string]any{"address": addr, "became": append([]explain.Result{}, own...), "others": append([]explain.Result{}, others...)})
	}
	if len(own) == 0 {
		fmt.Fprintf(a.Stdout, "%s became nothing of its own.\n", addr)
	} else {
		fmt.Fprintf(a.Stdout, "%s became\n", addr)
	}
	for _, r := range own {
		fmt.Fprintf(a.Stdout, "  %s\n", diag.Printable(r.String()))
	}
	if len(others) > 0 {
		fmt.Fprintf(a.Stdout, "and by other blocks\n")
	}
	for _, r := range others {
		fmt.Fprintf(a.Stdout, "  %s\n", diag.Printable(r.String()))
	}
	return nil
}

func blockNames(s loaded) []string {
	var out []string
	for _, b := range s.Blocks() {
		out = append(out, b.Head().Addr.String())
	}
	return out
}
