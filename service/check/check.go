// Package check is for promises that nbr does not know: a command on the router that says
// whether one holds. It is how a spec extends nbr verify without a line of Go.
package check

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the check block.
func Kind() service.Kind {
	return service.Kind{
		Type: "check", Doc: "A command that nbr verify runs on the router. It exits with 0 if all is well, 1 if not, 3 if it cannot tell, and says why on standard output.",
		Example: `check "provider" {
  title    = "The provider's gateway answers"
  command  = ["ping", "-c", "1", "-W", "2", "192.0.2.1"]
  packages = ["iputils"]
}
`,
		Probes: []probe.Any{outcomeOf},
		New:    func() service.Block { return &Check{} },
	}
}

// Check is the check block.
type Check struct {
	conf.Header
	Name     conf.Value[router.Name]    `hcl:"name,label"`
	Command  conf.List[string]          `hcl:"command,required" repeat:"yes" doc:"The program and its arguments. nbr verify runs it as the user who runs nbr verify, the agent without any privilege. As in [\"ping\", \"-c1\", \"192.0.2.1\"]. There is no shell: [\"sh\", \"-c\", \"…\"] where one is needed."`
	Title    conf.Value[string]         `hcl:"title,optional" doc:"What is checked, for the report."`
	Timeout  conf.Value[router.Seconds] `hcl:"timeout,optional" default:"10s" doc:"How long it may take, 30s at most; longer is unknown. All commands together have a minute."`
	Packages conf.List[Package]         `hcl:"packages,optional" doc:"Packages of nixpkgs that the command needs, as in [\"curl\"]."`
}

// longest is how long one command may keep a report waiting.
const longest = 30

// Package is the path of an attribute of nixpkgs.
type Package string

var packageRE = regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$`)

// UnmarshalText wants identifiers of Nix with dots between them.
func (p *Package) UnmarshalText(b []byte) error {
	if !packageRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no package of nixpkgs", b), "write its attribute, as in curl")
	}
	*p = Package(b)
	return nil
}

// Describe is what the type is in the schema.
func (Package) Describe() string { return "package of nixpkgs" }

// Claim claims the packages that the command needs.
func (c *Check) Claim(s *router.Scope) {
	for _, p := range c.Packages.Items {
		s.Package(p.Range, string(p.V))
	}
}

// Judge judges the command.
func (c *Check) Judge(*router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(c.Command.Items) == 0 || c.Command.Items[0].V == "" {
		return hcl.Diagnostics{diag.Help(diag.Error("bad-value", c.Command.Range, "No command", "There is nothing to run."),
			"Write the program and its arguments, as in command = [\"ping\", \"-c1\", \"192.0.2.1\"].")}
	}
	for _, a := range c.Command.Items {
		if strings.ContainsRune(a.V, 0) {
			diags = append(diags, diag.Help(diag.Error("bad-value", a.Range, "Bad argument", "No argument of a program can hold a NUL."),
				"Remove the character."))
		}
	}
	diags = append(diags, c.shell()...)
	program := c.Command.Items[0]
	if strings.Contains(program.V, "/") && !path.IsAbs(program.V) {
		diags = append(diags, diag.Help(diag.Error("bad-value", program.Range, "Bad program",
			"%s depends on the folder that nbr verify is started in.", program.V),
			"Write the name of a program, or its whole path."))
	}
	if c.Timeout.V < 1 || c.Timeout.V > longest {
		diags = append(diags, diag.Help(diag.Error("bad-value", c.Timeout.Range, "Bad timeout", "A command may take 1 to %d seconds.", longest),
			"Write a time between them, as in \"10s\"."))
	}
	return diags
}

// Checks is the command itself.
func (c *Check) Checks(_ *router.Router, p *verify.Plan) {
	args := c.Command.All()
	title := c.Title.V
	if title == "" {
		title = strings.Join(args, " ")
	}
	want, hint := "exit code 0", strings.Join(args, " ")
	check := verify.Check{ID: c.Addr.String(), Title: title, From: c.Def}
	verify.Asked(p, check, outcomeOf, run{newCommand(args), int(c.Timeout.V)}, want, hint, func(_ *state.State, o outcome) verify.Verdict {
		v := verify.Judge(o.Exit == 0, want, said(o), hint)
		if o.Exit != 0 && o.Exit != 1 { // 3 is "cannot tell", and the others have no meaning here
			v.Status = verify.Unknown
		}
		return v
	})
}

// said is the output of a command, or how it ended.
func said(c outcome) string {
	code := fmt.Sprintf("exit code %d", c.Exit)
	switch text := strings.TrimSpace(c.Output); {
	case text == "":
		return code
	case c.Exit > 1:
		return code + ": " + text
	default:
		return text
	}
}
