package shaper

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// queue is the queue of what a link sends, as tc(8) tells of it.
type queue struct {
	Kind      string `json:"kind,omitempty"` // empty if there is no such link, or it has none
	Bandwidth uint64 `json:"bandwidth,omitempty"`
	Overhead  int    `json:"overhead,omitempty"`
	MPU       int    `json:"mpu,omitempty"`
	Cells     string `json:"cells,omitempty"`
	Priority  string `json:"priority,omitempty"`
	Flows     string `json:"flows,omitempty"`
	ACKFilter bool   `json:"ack_filter,omitempty"`
	NAT       bool   `json:"nat,omitempty"`
	Ingress   bool   `json:"ingress,omitempty"`
	Sent      uint64 `json:"sent,omitempty"` // packets since it is there
	Dropped   uint64 `json:"dropped,omitempty"`
}

// queueOf asks for the queue of an interface.
var queueOf = &probe.Probe[router.IfName, queue]{Name: "shaper.queue", Look: func(ctx context.Context, h probe.Host, link router.IfName) (queue, error) {
	all, err := qdiscs(ctx, h, link)
	if err != nil {
		return queue{}, err
	}
	for _, q := range all {
		if !q.Root {
			continue
		}
		out := queue{Kind: q.Kind, Sent: q.Packets, Dropped: q.Drops}
		if q.Kind != "cake" {
			return out, nil
		}
		// A bandwidth of none is the word unlimited (cake_print_opt of iproute2's tc/q_cake.c).
		var options struct {
			Bandwidth any    `json:"bandwidth"`
			Overhead  int    `json:"overhead"`
			MPU       int    `json:"mpu"`
			ATM       string `json:"atm"`
			Diffserv  string `json:"diffserv"`
			FlowMode  string `json:"flowmode"`
			ACKFilter string `json:"ack-filter"`
			NAT       bool   `json:"nat"`
			Ingress   bool   `json:"ingress"`
		}
		if err := json.Unmarshal(q.Options, &options); err != nil {
			return queue{}, fmt.Errorf("what tc prints of the queue of %s is not understood: %w", link, err)
		}
		if octets, ok := options.Bandwidth.(float64); ok {
			out.Bandwidth = uint64(octets) * 8
		}
		out.Overhead, out.MPU, out.Cells, out.Priority, out.Flows = options.Overhead, options.MPU, options.ATM, options.Diffserv, options.FlowMode
		out.NAT, out.Ingress, out.ACKFilter = options.NAT, options.Ingress, options.ACKFilter == "enabled"
		return out, nil
	}
	return queue{}, nil
}}

// redirectOf asks where what arrives on an interface is sent before anything else looks at it:
// the other interface's name, * if that is gone (tc prints so), and empty if nowhere.
var redirectOf = &probe.Probe[router.IfName, string]{Name: "shaper.redirect", Look: func(ctx context.Context, h probe.Host, link router.IfName) (string, error) {
	var filters []struct {
		Kind    string `json:"kind"`
		Options struct {
			Actions []struct {
				Kind      string `json:"kind"`
				Action    string `json:"mirred_action"`
				Direction string `json:"direction"`
				Dev       string `json:"to_dev"`
			} `json:"actions"`
		} `json:"options"`
	}
	all, err := qdiscs(ctx, h, link)
	if err != nil || !slices.ContainsFunc(all, func(q qdisc) bool { return q.Kind == "ingress" }) {
		return "", err
	}
	if err := tc(ctx, h, &filters, "-j", "filter", "show", "dev", string(link), "ingress"); err != nil {
		return "", err
	}
	for _, f := range filters {
		for _, a := range f.Options.Actions {
			if f.Kind == "matchall" && a.Kind == "mirred" && a.Action == "redirect" && a.Direction == "egress" {
				return a.Dev, nil
			}
		}
	}
	return "", nil
}}

// A qdisc is a queueing discipline as tc(8) prints it.
type qdisc struct {
	Dev     string          `json:"dev"`
	Kind    string          `json:"kind"`
	Root    bool            `json:"root"`
	Packets uint64          `json:"packets"`
	Drops   uint64          `json:"drops"`
	Options json.RawMessage `json:"options"`
}

// qdiscs are those of an interface, none if it is not there: about that tc would say nothing in
// JSON, so it is asked for those of all.
func qdiscs(ctx context.Context, h probe.Host, link router.IfName) ([]qdisc, error) {
	var all []qdisc
	if err := tc(ctx, h, &all, "-j", "-s", "qdisc", "show"); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(q qdisc) bool { return q.Dev != string(link) }), nil
}

// tc asks tc(8).
func tc(ctx context.Context, h probe.Host, into any, args ...string) error {
	out, err := h.Run(ctx, "tc", args...)
	switch {
	case err != nil:
		return err
	case out.Exit != 0:
		return fmt.Errorf("tc %s: exit code %d", strings.Join(args, " "), out.Exit)
	case len(bytes.TrimSpace(out.Stdout)) == 0:
		return nil
	}
	if err := json.Unmarshal(out.Stdout, into); err != nil {
		return fmt.Errorf("what tc %s prints is not understood: %w", strings.Join(args, " "), err)
	}
	return nil
}

// has is a queue as the block has it.
func (s *Shaper) has(w Bandwidth, flows string, arrives bool) queue {
	f := framings[s.Framing.V]
	return queue{
		Kind: "cake", Bandwidth: uint64(w) / 8 * 8, // the kernel counts bytes
		Overhead: s.overhead(), MPU: f.mpu, Cells: f.cells,
		Priority: string(s.Priority.V), Flows: flows, NAT: !s.toHosts(), Ingress: arrives,
	}
}

// Checks look at both queues and at whether what arrives gets to its own.
func (s *Shaper) Checks(_ *router.Router, p *verify.Plan) {
	dev, ifb := s.link().LinkName(), s.ifb()
	up, down := dev, ifb
	if s.toHosts() {
		up, down = ifb, dev
	}
	want := s.has(s.Upload.V, "dual-srchost", up == ifb)
	want.ACKFilter = s.ACKFilter.V
	s.checkQueue(p, "upload", s.Upload.Range, up, want)
	s.checkQueue(p, "download", s.Download.Range, down, s.has(s.Download.V, "dual-dsthost", down == ifb))

	c := verify.Check{ID: s.Addr.String() + "/redirect", Title: fmt.Sprintf("what arrives on %s waits in %s", dev, ifb), From: s.Def}
	hint := fmt.Sprintf("tc filter show dev %s ingress", dev)
	verify.Asked(p, c, redirectOf, dev, string(ifb), hint, func(_ *state.State, to string) verify.Verdict {
		if to == "*" {
			to = "dropped, for the interface is gone"
		}
		return verify.Compare(string(ifb), cmp.Or(to, "does not wait"), hint)
	})
}

// checkQueue compares a queue with that of the block.
func (s *Shaper) checkQueue(p *verify.Plan, way string, at hcl.Range, dev router.IfName, want queue) {
	type part struct {
		what, title string
		at          hcl.Range
		text        func(queue) string
	}
	parts := []part{
		{"", "bandwidth", at, func(q queue) string { return Bandwidth(q.Bandwidth).String() }},
		{"/framing", "framing", s.Framing.Range, func(q queue) string {
			return fmt.Sprintf("overhead %d mpu %d %s", q.Overhead, q.MPU, q.Cells)
		}},
		{"/priority", "priority", s.Priority.Range, func(q queue) string { return q.Priority }},
		{"/shares", "shares of hosts", s.Def, func(q queue) string {
			words := []string{q.Flows}
			if q.NAT {
				words = append(words, "nat")
			}
			if q.Ingress {
				words = append(words, "ingress")
			}
			return strings.Join(words, " ")
		}},
	}
	if way == "upload" {
		parts = append(parts, part{"/ack_filter", "ACK filter", s.ACKFilter.Range, func(q queue) string { return verify.OnOff(q.ACKFilter) }})
	}
	for _, c := range parts {
		if c.at == (hcl.Range{}) { // a default
			c.at = s.Def
		}
		hint := fmt.Sprintf("tc -s qdisc show dev %s", dev)
		check := verify.Check{ID: s.Addr.String() + "/" + way + c.what, Title: fmt.Sprintf("%s of %s's queue on %s", c.title, way, dev), From: c.at}
		verify.Asked(p, check, queueOf, dev, c.text(want), hint, func(_ *state.State, got queue) verify.Verdict {
			if got.Kind != want.Kind {
				return verify.Compare(c.text(want), "queue: "+cmp.Or(got.Kind, "none"), hint)
			}
			v := verify.Compare(c.text(want), c.text(got), hint)
			if c.what == "" {
				v.Note = fmt.Sprintf("%d packets, %d dropped", got.Sent, got.Dropped)
			}
			return v
		})
	}
}
