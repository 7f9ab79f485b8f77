package cmd

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify/observe"
)

func (a *app) observeCommand() *cli.Command {
	return &cli.Command{
		Name: "observe", Usage: "record what nbr verify would look at", ArgsUsage: "[DIR]",
		Description: "Looks at this machine and writes all that the checks of the spec need as JSON, to be\n" +
			"judged anywhere. No part of it is a secret. The spec is " + deviceSpec + " if that is there,\n" +
			"else the current folder. Exit code 3 if something could not be looked at.\n\n" +
			asksWhat + "\n" +
			"Examples:\n" +
			"   nbr observe -o state.json\n" +
			"   ssh root@router nbr observe | nbr verify -state - router/",
		Flags: append(varFlag(),
			passiveFlag(),
			&cli.StringFlag{Name: "o", Usage: "write to `FILE` with mode 0600 instead of standard output"}),
		Action: a.observe,
	}
}

func (a *app) observe(c *cli.Context) error {
	s, err := a.device(c)
	if err != nil {
		return err
	}
	plan := s.Plan()
	st := observe.Look(c.Context, observe.Options{Needs: plan.Needs(), Questions: plan.Questions(), Time: time.Now().Unix(), Passive: c.Bool("passive")})
	if c.Context.Err() != nil {
		return exit{ExitUnknown, "interrupted; nothing was written"}
	}
	var b bytes.Buffer
	if err := observe.Save(&b, st); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	if file := c.String("o"); file != "" {
		if err = replacePrivate(file, b.Bytes()); err == nil {
			fmt.Fprintf(a.Stdout, "wrote %s (%s, %d bytes)\n", file, diag.Count(len(plan.Checks), "check"), b.Len())
		}
	} else {
		_, err = a.Stdout.Write(b.Bytes())
	}
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	for _, part := range slices.Sorted(maps.Keys(st.Missed)) {
		fmt.Fprintf(a.Stderr, "nbr: could not look at %s: %s\n", diag.Printable(part), diag.Printable(st.Missed[part]))
	}
	if len(st.Missed) > 0 {
		return exit{code: ExitUnknown}
	}
	return nil
}

// replacePrivate writes a file for the user alone, whatever the mode of an old one
// is: all of it or nothing.
func replacePrivate(file string, b []byte) error { return replace(file, b, 0o600) }
