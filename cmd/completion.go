package cmd

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// scripts ask nbr itself for what could come next, so they never go stale.
var scripts = map[string]string{
	"bash": `_nbr() {
  local cur="${COMP_WORDS[COMP_CWORD]}" words
  words=$("${COMP_WORDS[@]:0:COMP_CWORD}" --generate-bash-completion 2>/dev/null | cut -d: -f1)
  COMPREPLY=($(compgen -W "$words" -- "$cur") $(compgen -f -- "$cur"))
}
complete -o filenames -o bashdefault -F _nbr nbr
`,
	"zsh": `#compdef nbr
_nbr() {
  local -a words
  words=(${(f)"$(${words[1,CURRENT-1]} --generate-bash-completion 2>/dev/null)"})
  _describe 'nbr' words
  _files
}
compdef _nbr nbr
`,
	"fish": `function __nbr_complete
  set -l words (commandline -opc)
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
			script, ok := scripts[c.Args().First()]
			if !ok {
				return usage("completion is for bash, zsh or fish, not for %q", c.Args().First())
			}
			_, err := fmt.Fprint(a.Stdout, script)
			return err
		},
	}
}
