package cmd

import (
	"bytes"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/compose"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

func treeFlag() cli.Flag {
	return &cli.StringFlag{Name: "tree", Usage: "take what the inputs are at from the flake.lock of the tree in `DIR`"}
}

func (a *app) pinsCommand() *cli.Command {
	return &cli.Command{
		Name: "pins", Usage: "list what a router is built from, of when it is and how it is moved", ArgsUsage: "[DIR...]",
		Description: "For each spec: the flake's inputs, kernel, Trusted Firmware-A and U-Boot. Without -tree\n" +
			"nixpkgs is at the state that nbr was tried with; the flake.lock of a tree may have moved it.\n" +
			"docs/kernel.md says what to choose from where the kernel is old.\n\n" +
			"Examples:\n" +
			"   nbr pins router/\n" +
			"   nbr pins -tree out router/\n" +
			"   nbr pins -json router/ | jq '.routers[].pins[] | select(.age_days > 90)'",
		Flags: []cli.Flag{
			specFlags()[0], treeFlag(),
			boolFlag("json", "print the list as JSON"),
		},
		Action: a.pins,
	}
}

// locked is what the flake.lock of the tree tells that -tree names: a tree that is not
// there was mistyped.
func locked(c *cli.Context) (pins.Known, error) {
	if !c.IsSet("tree") {
		return pins.Known{}, nil
	}
	known, err := pins.FromLock(c.String("tree"))
	switch {
	case err != nil:
		return known, exit{ExitUnknown, err.Error()}
	case known.Inputs == nil:
		return known, exit{ExitUnknown, fmt.Sprintf("there is no %s in %s", flake.LockName, c.String("tree"))}
	}
	return known, nil
}

// pinsOf are the pins of a spec.
func pinsOf(s *service.Spec, known pins.Known) ([]pins.Pin, error) {
	inputs, err := compose.Inputs(s.Router)
	if err != nil {
		return nil, exit{ExitSpec, err.Error()}
	}
	return pins.Of(s, inputs, known), nil
}

// aged judges the age of a spec's release and pins by the clock.
func (a *app) aged(known pins.Known) judge {
	return func(s *service.Spec) hcl.Diagnostics {
		list, err := pinsOf(s, known)
		if a.Now == nil || err != nil { // gen tells of it
			return nil
		}
		return pins.Warn(s.Router, list, a.Now())
	}
}

// A jsonPins is the pins of one router.
type jsonPins struct {
	Router      string    `json:"router"`
	Release     string    `json:"release"`
	ReleaseEnds string    `json:"release_ends,omitempty"`
	Pins        []jsonPin `json:"pins"`
}

type jsonPin struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Rev     string `json:"rev,omitempty"`
	Source  string `json:"source"`
	Date    string `json:"date,omitempty"`
	AgeDays *int   `json:"age_days,omitempty"`
	By      string `json:"by"`
	For     string `json:"for"`
	Move    string `json:"move"`
	Exposed bool   `json:"faces_network"`
}

func (a *app) pins(c *cli.Context) error {
	known, err := locked(c)
	if err != nil {
		return err
	}
	var all []jsonPins
	for _, dir := range dirs(c) {
		s, err := a.deviceIn(c, dir)
		if err != nil {
			return err
		}
		list, err := pinsOf(s.Spec, known)
		if err != nil {
			return err
		}
		all = append(all, a.describe(s.Router, list))
	}
	if c.Bool("json") {
		_, err = a.Stdout.Write(diag.MarshalIndent(map[string]any{"format_version": "1.0", "routers": all}))
		return err
	}
	_, err = a.Stdout.Write(pinTables(all))
	return err
}

func (a *app) describe(r *router.Router, list []pins.Pin) jsonPins {
	out := jsonPins{Router: string(r.Name.V), Release: string(r.Release.V)}
	if ends := r.Release.V.Ends(); !ends.IsZero() {
		out.ReleaseEnds = ends.Format(time.DateOnly)
	}
	for _, p := range list {
		j := jsonPin{Name: p.Name, State: p.State, Rev: p.Rev, Source: p.Source, By: p.By, For: p.For, Move: p.Move, Exposed: p.Exposed}
		if !p.Date.IsZero() {
			j.Date = p.Date.Format(time.DateOnly)
		}
		if a.Now != nil {
			if days, ok := p.Age(a.Now()); ok {
				j.AgeDays = &days
			}
		}
		out.Pins = append(out.Pins, j)
	}
	return out
}

// pinTables is a table a router.
func pinTables(all []jsonPins) []byte {
	var b bytes.Buffer
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		ends := ""
		if r.ReleaseEnds != "" {
			ends = ", with security fixes until " + r.ReleaseEnds
		}
		fmt.Fprintf(&b, "%s: NixOS %s%s\n", r.Router, r.Release, ends)
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "PIN\tSTATE\tOF\tDAYS\tBY\tFOR\tMOVED BY")
		for _, p := range r.Pins {
			date, days := "-", "-"
			if p.Date != "" {
				date = p.Date
			}
			if p.AgeDays != nil {
				days = fmt.Sprint(*p.AgeDays)
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, diag.Printable(p.State), date, days, p.By, p.For, p.Move)
		}
		tw.Flush() // a buffer takes everything
	}
	return b.Bytes()
}
