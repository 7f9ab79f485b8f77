package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// deviceSpec is where a router has the spec that it was made of.
const deviceSpec = "/etc/nbr/spec"

// asksWhat is what verify and observe send and run: all of it.
const asksWhat = "Whether services serve is asked of themselves: a DNS query, a connection to SSH, a question\n" +
	"for the time. A DHCP client's DISCOVER and a remote host's packets to a port, over IPv4 and\n" +
	"IPv6, are made inside the router, as if received on the link; only its answers are transmitted.\n" +
	"The firewall is told of the port probes and neither logs nor counts them. No lease is taken.\n" +
	"The commands of check blocks are run. -passive leaves all of this out.\n"

// passiveFlag is of all commands that look at a router.
func passiveFlag() cli.Flag {
	return boolFlag("passive", "send nothing: no DHCP, no DNS, no commands; what only an answer would show is not judged")
}

func (a *app) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "say line by line whether this router is what its spec promises", ArgsUsage: "[DIR]",
		Description: "Looks at this machine and changes nothing. The spec is " + deviceSpec + " if that is there,\n" +
			"else the current folder. Exit code 0 if all checks pass (some may be skipped), 1 if one\n" +
			"fails, 3 if none fails but something could not be looked at, 2 if the spec is wrong.\n" +
			"Warns on standard error of a release without security fixes and of pins that face the network\n" +
			"and are older than 90 days: of nixpkgs by the system that runs.\n\n" +
			asksWhat + "\n" +
			"Examples:\n" +
			"   nbr verify                              on the router\n" +
			"   nbr verify -settle 30s                  wait until all is well, for half a minute at most\n" +
			"   nbr verify -only network.lan -v         one block, with what passes\n" +
			"   nbr verify -only 'network.*/ipv4'       the IPv4 addresses of all networks\n" +
			"   nbr verify -passive                     look, and send nothing\n" +
			"   nbr verify -plan router/                what would be checked, and why\n" +
			"   ssh root@router nbr observe | nbr verify -state - router/\n" +
			"   nbr verify -format junit >report.xml    for CI\n" +
			"   nbr verify -throughput -for 2m          where packets go while hosts send them",
		Flags: append(append(varFlag(), throughputFlags()...),
			&cli.StringFlag{Name: "state", Usage: "judge what nbr observe recorded in `FILE` instead of this machine; - is standard input"},
			&cli.StringFlag{Name: "format", Value: "text", Usage: "print the report as `FORM`: text, json, junit or tap"},
			&cli.StringSliceFlag{Name: "only", Usage: "only the checks of `ADDRESS`, as network.lan or network.lan/ipv4; * and ? fit anything (may be given several times)"},
			boolFlag("plan", "list the checks and the lines that promise them; look at nothing"),
			&cli.DurationFlag{Name: "settle", Usage: "look again until all checks pass or `DURATION`, as 30s, is over", DefaultText: "look once"},
			passiveFlag(),
			boolFlag("v", "list what passes, too")),
		Action: a.verify,
	}
}

func (a *app) verify(c *cli.Context) error {
	show, err := a.reportForm(c)
	if err != nil {
		return err
	}
	s, err := a.device(c)
	if err != nil {
		return err
	}
	if c.Bool("throughput") {
		return a.throughput(c, s)
	}
	plan, err := only(s.Plan(), c.StringSlice("only"))
	if err != nil {
		return err
	}
	if len(plan.Checks) == 0 {
		return exit{ExitUnknown, fmt.Sprintf("the spec in %s promises nothing that could be verified", s.dir)}
	}
	name := string(s.Router.Name.V)
	w := a.diagWriter(s.Spec, s.dir)
	w.W, w.Color = a.Stdout, a.stdoutColor()
	if c.Bool("plan") {
		rep := &report.Report{Router: name}
		for _, check := range plan.Checks {
			rep.Results = append(rep.Results, verify.Result{Check: check})
		}
		return rep.List(w)
	}
	var runs pins.Known
	rep, err := a.settle(c.Context, c.Duration("settle"), func(ctx context.Context) (*report.Report, error) {
		st, err := a.look(ctx, c.String("state"), plan, c.Bool("passive"))
		if err != nil {
			return nil, exit{ExitUnknown, err.Error()}
		}
		if st.System != nil {
			runs = pins.FromSystem(st.System.Current)
		}
		results, err := verify.Eval(plan, st)
		if err != nil {
			return nil, exit{ExitUnknown, err.Error()}
		}
		return &report.Report{Router: name, Results: results, Missed: st.Missed}, nil
	})
	if err != nil {
		return err
	}
	if err := show(rep, w); err != nil {
		return err
	}
	// Age is no broken promise: the report does not depend on the day.
	if err := a.diagWriter(s.Spec, s.dir).Write(a.aged(runs)(s.Spec)); err != nil {
		return err
	}
	return exitOf(rep.Summary())
}

// exitOf is how a command ends that has shown a report.
func exitOf(sum report.Summary) error {
	switch {
	case sum.Well():
		return nil
	case sum.Fail > 0:
		return exit{code: ExitFailed}
	case sum.Unknown > 0:
		return exit{code: ExitUnknown}
	default:
		return exit{ExitUnknown, "all checks were skipped, so nothing was verified"}
	}
}

// reportForm is how the report is printed, after a look at flags that do not go
// together.
func (a *app) reportForm(c *cli.Context) (func(*report.Report, *diag.Writer) error, error) {
	switch {
	case c.IsSet("for") && (!c.Bool("throughput") || c.Duration("for") <= 0):
		return nil, usage("-for is how long -throughput watches: a time such as 2m")
	case c.Bool("throughput") && slices.ContainsFunc([]string{"state", "format", "only", "plan", "settle", "passive", "v"}, c.IsSet):
		return nil, usage("-throughput watches counters and judges no check: it goes with -for and -var")
	case c.Duration("settle") < 0:
		return nil, usage("-settle takes a time to wait, not %s", c.Duration("settle"))
	case c.Bool("passive") && c.IsSet("state"):
		return nil, usage("-passive is for a look at this machine: what -state holds has been asked")
	case c.Bool("plan") && (c.Bool("passive") || c.IsSet("state") || c.IsSet("settle") || c.IsSet("format") || c.IsSet("v")):
		return nil, usage("-plan looks at nothing and prints a list: it goes with -only and -var")
	case c.IsSet("settle") && c.String("state") == "-":
		return nil, usage("standard input is read once: -settle needs a file for -state, or none")
	}
	switch format := c.String("format"); format {
	case "text":
		return func(r *report.Report, w *diag.Writer) error { return r.Text(w, c.Bool("v")) }, nil
	case "json":
		return (*report.Report).JSON, nil
	case "junit":
		return (*report.Report).JUnit, nil
	case "tap":
		return (*report.Report).TAP, nil
	default:
		return nil, usage("-format is text, json, junit or tap, not %q", format)
	}
}

// settle looks, and looks again until all is well, the time is over or SIGINT
// comes. Only here and in the agent does time pass.
func (a *app) settle(ctx context.Context, most time.Duration, look func(context.Context) (*report.Report, error)) (*report.Report, error) {
	end := time.Now().Add(most)
	var last *report.Report
	for wait := 200 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 2*time.Second) {
		rep, err := look(ctx)
		if ctx.Err() != nil {
			break // it was cut short and saw less than the one before
		}
		left := time.Until(end)
		if err != nil || rep.Summary().Well() || left <= 0 {
			return rep, err
		}
		if last == nil {
			fmt.Fprintf(a.Stderr, "nbr: %s; looking again for %s at most\n", rep.Summary(), most)
		}
		last = rep
		select {
		case <-time.After(min(wait, left)):
		case <-ctx.Done():
		}
	}
	if last == nil {
		return nil, exit{ExitUnknown, "interrupted; nothing was judged"}
	}
	fmt.Fprintln(a.Stderr, "nbr: interrupted; this is what was seen last")
	return last, nil
}

// look is what the plan's checks judge: this machine, or a recording of one.
func (a *app) look(ctx context.Context, file string, plan *verify.Plan, passive bool) (*state.State, error) {
	var in io.Reader
	switch file {
	case "":
		return observe.Look(ctx, observe.Options{Needs: plan.Needs(), Questions: plan.Questions(), Time: time.Now().Unix(), Passive: passive}), nil
	case "-":
		in, file = a.Stdin, "standard input"
	default:
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	st, err := observe.Load(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return st, nil
}

// only is the part of a plan that the user asks for.
func only(plan *verify.Plan, patterns []string) (*verify.Plan, error) {
	if len(patterns) == 0 {
		return plan, nil
	}
	wanted := map[string]bool{}
	for _, p := range patterns {
		glob := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p))
		re := regexp.MustCompile(`(?s)^` + glob + `(/.*)?$`)
		found := false
		var near []string
		for _, check := range plan.Checks {
			if re.MatchString(check.ID) {
				found, wanted[check.ID] = true, true
			}
			near = append(near, check.Block(), check.ID)
		}
		if !found {
			return nil, usage("-only %s fits no check.%s nbr verify -plan lists them", p, diag.Suggest(p, near))
		}
	}
	part := &verify.Plan{}
	for _, check := range plan.Checks {
		if wanted[check.ID] {
			part.Add(check)
		}
	}
	return part, nil
}

// varFlag is -var alone: -format is the report's.
func varFlag() []cli.Flag { return specFlags()[:1] }

// device loads the one spec of a command that looks at a router. What is wrong
// with it is told in words on standard error, whatever the form of the report;
// warnings are what nbr check is for.
func (a *app) device(c *cli.Context) (loaded, error) {
	if c.NArg() > 1 {
		return loaded{}, usage("nbr %s takes one folder", c.Command.Name)
	}
	return a.deviceAt(c, c.Args().First())
}

// deviceAt loads the spec in a folder, or in the one that is looked for when none is
// given.
func (a *app) deviceAt(c *cli.Context, dir string) (loaded, error) {
	if dir == "" {
		dir = deviceSpec
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			dir = "."
		}
	}
	return a.deviceIn(c, dir)
}

// deviceIn loads the one spec in a folder.
func (a *app) deviceIn(c *cli.Context, dir string) (loaded, error) {
	vars, err := parseVars(c.StringSlice("var"))
	if err != nil {
		return loaded{}, err
	}
	if err := folder(dir); err != nil {
		return loaded{}, err
	}
	spec, diags := a.reg.Load(source.Dir(filepath.Clean(dir)), vars)
	if diags.HasErrors() {
		if err := a.diagWriter(spec, dir).Write(diags); err != nil {
			return loaded{}, err
		}
		fmt.Fprintln(a.Stderr, diag.Total(diags))
		return loaded{}, exit{code: ExitSpec}
	}
	return loaded{Spec: spec, dir: dir}, nil
}

// stdoutColor tells whether the report, which goes to standard output, is for a
// terminal.
func (a *app) stdoutColor() bool {
	o, ok := a.Stdout.(*output)
	return ok && o.terminal() && os.Getenv("NO_COLOR") == ""
}
