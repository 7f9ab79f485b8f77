package cmd

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router/wgclient"
	"github.com/nbr-dev/nbr/service/reference"
)

// scripts ask nbr itself for what could come next, so they never go stale. A lone
// - in the place of the flag being typed asks for all flags.
var scripts = map[string]string{
	"bash": `_nbr() {
  local cur="${COMP_WORDS[COMP_CWORD]}" flag=() words
  [[ $cur == -* ]] && flag=(-)
  words=$("${COMP_WORDS[@]:0:COMP_CWORD}" "${flag[@]}" --generate-bash-completion 2>/dev/null | cut -d: -f1)
  COMPREPLY=($(compgen -W "$words" -- "$cur") $(compgen -f -- "$cur"))
}
complete -o filenames -o bashdefault -F _nbr nbr
`,
	"zsh": `#compdef nbr
_nbr() {
  local -a flag found
  [[ $words[CURRENT] == -* ]] && flag=(-)
  found=(${(f)"$($words[1,CURRENT-1] $flag --generate-bash-completion 2>/dev/null)"})
  _describe 'nbr' found
  _files
}
compdef _nbr nbr
`,
	"fish": `function __nbr_complete
  set -l words (commandline -opc)
  string match -q -- '-*' (commandline -ct); and set -a words -
  $words --generate-bash-completion 2>/dev/null | string replace ':' \t
end
complete -c nbr -a '(__nbr_complete)'
`,
}

func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print the completion script of a shell", ArgsUsage: "bash|zsh|fish",
		Description: "Examples:\n   source <(nbr completion bash)\n   nbr completion fish >~/.config/fish/completions/nbr.fish",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usage("nbr completion takes one of bash, zsh and fish")
			}
			script, ok := scripts[c.Args().First()]
			if !ok {
				return usage("completion is for bash, zsh or fish, not for %q", c.Args().First())
			}
			_, err := fmt.Fprint(a.Stdout, script)
			return err
		},
	}
}

// flagValues are what can be the value of a flag, by command and flag; a command has its
// own before those of all.
var flagValues = map[string][]string{
	"graph format":  {"svg", "dot", "mermaid"},
	"verify format": {"text", "json", "junit", "tap"},
	"format":        {"text", "json", "github"},
}

// complete offers a command's flags, written as the help writes them, the values of the
// flag before, and these words.
func (a *app) complete(c *cli.Command, words func() []string) cli.BashCompleteFunc {
	return func(ctx *cli.Context) {
		last := ""
		if len(os.Args) > 2 { // the last one asks for completion
			last = os.Args[len(os.Args)-2]
		}
		name := strings.TrimLeft(last, "-")
		var offer []string
		switch {
		case strings.HasPrefix(last, "-") && name == "only":
			offer = a.addresses()
		case strings.HasPrefix(last, "-") && name != "" && flagValues[name] != nil:
			if offer = flagValues[c.Name+" "+name]; offer == nil {
				offer = flagValues[name]
			}
		case strings.HasPrefix(last, "-") && name == "board":
			offer = boardIDs(a.reg.Boards)
		case strings.HasPrefix(last, "-"):
			for _, f := range c.Flags {
				for _, n := range f.Names() {
					if strings.HasPrefix(n, name) {
						offer = append(offer, "-"+n)
					}
				}
			}
		default:
			offer = words()
		}
		for _, w := range offer {
			fmt.Fprintln(ctx.App.Writer, w)
		}
	}
}

// addresses are the blocks of the spec that a command would read without being told
// another: none if it is wrong, for completing a line is no time to say so.
func (a *app) addresses() []string {
	dir := deviceSpec
	if _, err := os.Stat(dir); err != nil {
		dir = "."
	}
	s, ok := a.quietly(dir)
	if !ok {
		return nil
	}
	return blockNames(s)
}

// peers are the peers of tunnels of the spec in the current folder.
func (a *app) peers() []string {
	s, ok := a.quietly(".")
	if !ok {
		return nil
	}
	var out []string
	for _, p := range wgclient.Peers(s.Router) {
		out = append(out, string(p.WireGuardPeer.Name))
	}
	return out
}

// quietly loads the spec in a folder; false if it is wrong.
func (a *app) quietly(dir string) (loaded, bool) {
	spec, diags := a.reg.Load(source.Dir(dir), nil)
	return loaded{Spec: spec, dir: dir}, !diags.HasErrors()
}

// arguments are what a command takes besides folders and files.
func (a *app) arguments(command string) func() []string {
	return func() []string {
		switch command {
		case "boards":
			return boardIDs(a.reg.Boards)
		case "completion":
			return []string{"bash", "zsh", "fish"}
		case "explain": // the folder of the spec comes after it
			return append(a.addresses(), reference.Codes()...)
		case "client": // the folder of the spec comes after it
			return a.peers()
		case "schema":
			return a.typeNames()
		}
		return nil
	}
}
