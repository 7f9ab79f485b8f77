package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"
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
		Description:  "Examples:\n   source <(nbr completion bash)\n   nbr completion fish >~/.config/fish/completions/nbr.fish",
		BashComplete: complete("bash", "zsh", "fish"),
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

// complete offers a command's flags and these words.
func complete(words ...string) cli.BashCompleteFunc {
	return func(c *cli.Context) {
		cli.DefaultCompleteWithFlags(c.Command)(c)
		for _, w := range words {
			fmt.Fprintln(c.App.Writer, w)
		}
	}
}
