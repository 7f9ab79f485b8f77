package check

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// operators mean something to a shell alone when they are a word of their own.
var operators = []string{"|", "||", "&", "&&", ";", ">", ">>", "<", "2>&1", ">/dev/null", "2>/dev/null", "&>/dev/null"}

// shell finds commands that are written for a shell, of which there is none, and those that
// never fail.
func (c *Check) shell() hcl.Diagnostics {
	items := c.Command.Items
	program := items[0]
	if strings.ContainsAny(program.V, " \t\n") {
		words := strings.Fields(program.V)
		for _, a := range items[1:] {
			words = append(words, a.V)
		}
		return hcl.Diagnostics{diag.Help(diag.Error("no-shell", program.Range, "Command in one word",
			"There is no shell that splits this at its blanks, so all of it would be the name of one program."),
			"Write each word by itself: command = [%s].", quoted(words))}
	}
	name := path.Base(program.V)
	shells := slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh"}, name)
	for _, a := range items[1:] {
		if !shells && slices.Contains(operators, a.V) {
			return hcl.Diagnostics{diag.Help(diag.Error("no-shell", a.Range, "Sign of a shell",
				"There is no shell, so %s would get %q as a word like any other.", name, a.V),
				"Let a shell run the whole line: command = [\"sh\", \"-c\", \"…\"].")}
		}
	}
	script := len(items) == 3 && shells && items[1].V == "-c"
	if slices.Contains([]string{"true", ":", "echo", "printf"}, name) || script && wellRE.MatchString(items[2].V) {
		return hcl.Diagnostics{diag.Help(diag.Warning("never-fails", c.Command.Range, "Check that never fails",
			"%s exits with 0 whatever the router does, so this says nothing of it.", ending(name, script)),
			"Let the command end with 1 when something is wrong, or remove %s.", c.Addr)}
	}
	return nil
}

// wellRE fits a script whose last command cannot fail.
var wellRE = regexp.MustCompile(`(^|[;&|\n])\s*(true|:|exit 0|echo [^;&|]*)\s*;?\s*$`)

func ending(name string, script bool) string {
	if script {
		return "The last command of the script"
	}
	return name
}

// quoted are words as a list of HCL.
func quoted(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, fmt.Sprintf("%q", w))
	}
	return strings.Join(out, ", ")
}
