package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
)

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "from generated Nix to the spec's line, and back", ArgsUsage: "FILE:LINE | ADDRESS",
		Description: "With a line of a generated file: the line of the spec that made it.\n" +
			"With the address of a block: everything it became, and how it is verified.\n\n" +
			"Examples:\n   nbr explain out/routers/bpi-r4/network.nix:12\n   nbr explain -spec router/ network.lan",
		Flags:  append(specFlags(), &cli.StringFlag{Name: "spec", Value: ".", Usage: "the spec's `DIR`, for an address"}),
		Action: a.explain,
	}
}

func (a *app) explain(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("nbr explain takes FILE:LINE or the address of a block, as in network.lan")
	}
	arg := c.Args().First()
	if file, line, ok := cutLine(arg); ok {
		return a.explainLine(c, file, line)
	}
	return a.explainAddress(c, arg)
}

// cutLine takes FILE:LINE apart.
func cutLine(s string) (file string, line int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(s[i+1:])
	return s[:i], line, err == nil
}

func (a *app) explainLine(c *cli.Context, file string, line int) error {
	dir := filepath.Dir(file)
	if _, err := os.Stat(file); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	if info, err := os.Stat(filepath.Join(dir, "spec")); err != nil || !info.IsDir() {
		return exit{ExitUnknown, fmt.Sprintf("%s is not made from a spec: the modules in routers/<name>/ are", file)}
	}
	specs, err := a.load(c, []string{filepath.Join(dir, "spec")})
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
		fmt.Fprintf(a.Stdout, "%s:%d is there for every router; no line of the spec asks for it.\n", file, line)
		return nil
	}
	text := specs[0].Secrets().Line(from.File, specs[0].Source.Bytes(from.File), from.Line)
	fmt.Fprintf(a.Stdout, "%s:%d comes from %s\n  on %s line %d:\n%5d | %s\n", file, line, from.Addr,
		filepath.Join(dir, "spec", from.File), from.Line, from.Line, diag.Printable(text))
	return nil
}

func (a *app) explainAddress(c *cli.Context, addr string) error {
	specs, err := a.load(c, []string{c.String("spec")})
	if err != nil {
		return err
	}
	s := specs[0]
	tree, err := a.build(specs)
	if err != nil {
		return err
	}
	found := a.becomes(tree, addr)
	for _, k := range router.Claimed[router.Kernel](s.Router) {
		if about(k.Addr.String(), addr) {
			found = append(found, fmt.Sprintf("kernel   CONFIG_%s (%s)", k.Symbol, k.Why))
		}
	}
	for _, check := range s.Plan().Checks {
		if id, _, _ := strings.Cut(check.ID, "/"); about(id, addr) || about(check.ID, addr) {
			found = append(found, fmt.Sprintf("check    %s: %s", check.ID, check.Title))
		}
	}
	if len(found) == 0 {
		names := blockNames(s)
		if slices.Contains(names, addr) {
			fmt.Fprintf(a.Stdout, "%s became nothing of its own.\n", addr)
			return nil
		}
		return exit{ExitSpec, fmt.Sprintf("the spec in %s has no block %s.%s", s.dir, addr, diag.Suggest(addr, names))}
	}
	fmt.Fprintf(a.Stdout, "%s became\n", addr)
	for _, f := range found {
		fmt.Fprintf(a.Stdout, "  %s\n", diag.Printable(s.Secrets().Text(f)))
	}
	return nil
}

// becomes are the generated lines that a block made, the firewall's rules among
// them: those name their block in a comment.
func (a *app) becomes(tree *flake.Tree, addr string) []string {
	var out []string
	files := make([]string, 0, len(tree.Origins))
	for name := range tree.Origins {
		files = append(files, name)
	}
	slices.Sort(files)
	for _, name := range files {
		lines := strings.Split(string(tree.Files[name]), "\n")
		for i, o := range tree.Origins[name] {
			text := strings.TrimSpace(lines[i])
			if strings.Trim(text, "[](){}'; ") == "" || strings.HasPrefix(text, "#") {
				continue // says nothing of its own
			}
			if about(o.Addr, addr) || strings.HasSuffix(text, " "+addr+`"`) {
				out = append(out, fmt.Sprintf("%s/%s:%d  %s", flake.Dir, name, i+1, text))
			}
		}
	}
	return out
}

// about tells whether something made by got is about addr: the block itself or a
// block inside it.
func about(got, addr string) bool {
	return got == addr || strings.HasPrefix(got, addr+"/") || got == "extra of "+addr
}

func blockNames(s loaded) []string {
	var out []string
	for _, b := range s.Blocks() {
		out = append(out, b.Head().Addr.String())
	}
	return out
}
