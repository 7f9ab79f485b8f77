package cmd

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

func (a *app) boardsCommand() *cli.Command {
	return &cli.Command{
		Name: "boards", Usage: "say what nbr knows of the boards, and what it does not", ArgsUsage: "[ID...]",
		Description: "A table of all boards, or a page for each that is named: ports with their labels and what\n" +
			"Linux calls them, memory, boot switch, image, and what is not known.\n\n" +
			"Examples:\n   nbr boards\n   nbr boards bananapi-bpir4\n   nbr boards -doc >BOARDS.md",
		Flags:  []cli.Flag{boolFlag("doc", "print the pages as Markdown")},
		Action: a.boards,
	}
}

func boardIDs(all []*router.Board) []string {
	var ids []string
	for _, b := range all {
		ids = append(ids, b.ID)
	}
	return ids
}

// board is the board of this name, or an error that says which there are.
func (a *app) board(id string) (*router.Board, error) {
	for _, b := range a.reg.Boards {
		if b.ID == id {
			return b, nil
		}
	}
	ids := boardIDs(a.reg.Boards)
	near := diag.Suggest(id, ids)
	for _, known := range ids { // rpi4 is near to nothing that is three times as long
		if _, name, _ := strings.Cut(known, "-"); near == "" && id != "" && strings.HasPrefix(name, id) {
			near = fmt.Sprintf(" Did you mean %q?", known)
		}
	}
	return nil, usage("there is no board %q.%s nbr knows %s", id, near, diag.List(ids))
}

func (a *app) boards(c *cli.Context) error {
	for _, want := range c.Args().Slice() {
		if _, err := a.board(want); err != nil {
			return err
		}
	}
	var reports []boardReport
	for _, b := range a.reg.Boards {
		if c.NArg() == 0 || contains(c.Args().Slice(), b.ID) {
			reports = append(reports, boardReportOf(b, firmware.ProfileOf(b.ID)))
		}
	}
	out := textOf(reports)
	switch {
	case c.Bool("doc"):
		out = markdownOf(reports)
	case c.NArg() == 0:
		out = boardTable(a.reg.Boards)
	}
	_, err := a.Stdout.Write(out)
	return err
}

// boardTable is a line a board.
func boardTable(all []*router.Board) []byte {
	var b bytes.Buffer
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tNAME\tMEMORY\tPORTS")
	for _, board := range all {
		var sizes []string
		for _, m := range board.Memory {
			sizes = append(sizes, m.Size.String())
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", board.ID, board.Name, cmp.Or(strings.Join(sizes, " "), "any"), cmp.Or(shortPorts(board), "any: port blocks"))
	}
	tw.Flush() // a buffer takes everything
	return b.Bytes()
}

// portKinds are the kinds that a spec can refer to, for people.
var portKinds = []struct {
	kind router.PortKind
	text string
}{{router.PortDSA, "switch"}, {router.PortNIC, "Ethernet"}, {router.PortSFP, "SFP"}, {router.PortWiFi, "Wi-Fi"}}

// shortPorts are the ports by their kinds.
func shortPorts(board *router.Board) string {
	var out []string
	for _, k := range portKinds {
		var names []string
		for _, p := range board.Ports {
			if p.Kind == k.kind {
				names = append(names, string(p.Name))
			}
		}
		if len(names) > 0 {
			out = append(out, k.text+" "+strings.Join(names, " "))
		}
	}
	return strings.Join(out, ", ")
}
