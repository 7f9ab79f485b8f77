package cmd

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/lsp"
	"github.com/nbr-dev/nbr/service"
)

// rest is how long no key must have been pressed before a spec is judged: shorter than a pause that is
// noticed, longer than the time between two keys of one word.
const rest = 60 * time.Millisecond

func (a *app) lspCommand() *cli.Command {
	return &cli.Command{
		Name: "lsp", Usage: "a language server for specs, which editors start",
		Description: "Speaks the Language Server Protocol on standard input and output: what nbr check says while a spec\n" +
			"is being written, completion, documentation, definitions and references, renaming of blocks, variables\n" +
			"and locals in all files, formatting, and fixes. Writes no file: the editor does.\n" +
			"docs/editors.md has what VS Code, Neovim, Helix and Emacs need to be told.\n\n" +
			"Examples:\n   nbr lsp\n   nbr lsp -var guests=40",
		Flags: []cli.Flag{specFlags()[0]},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usage("nbr lsp takes no arguments: the editor says which files it has open")
			}
			if in, ok := a.Stdin.(*os.File); ok && term.IsTerminal(int(in.Fd())) {
				return usage("nbr lsp speaks with an editor, which starts it, and here is a terminal: docs/editors.md says how to tell an editor; nbr check judges a spec")
			}
			vars, err := parseVars(c.StringSlice("var"))
			if err != nil {
				return err
			}
			version, err := a.version()
			if err != nil {
				return err
			}
			server := lsp.Server{Registry: a.reg, Open: source.Dir, Rest: rest, Version: version, Load: func(fsys fs.FS) (*service.Spec, hcl.Diagnostics) {
				spec, diags := a.reg.Load(fsys, vars)
				if !diags.HasErrors() {
					diags = diag.Sort(append(diags, a.aged(pins.Known{})(spec)...))
				}
				return spec, diags
			}}
			if err := server.Serve(c.Context, a.Stdin, a.Stdout); errors.Is(err, lsp.ErrNoShutdown) {
				return exit{ExitFailed, err.Error()} // the exit code that the protocol wants
			} else if err != nil && c.Context.Err() == nil {
				return exit{ExitUnknown, err.Error()}
			}
			return nil
		},
	}
}
