package exporter

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask for the metrics at each address, as Prometheus does. An exporter answers, and is active,
// while it gets nothing from the program that it tells of.
func (b *Exporter) Checks(r *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, b.unit()+".service")
	var addrs []string
	for _, e := range b.ends() {
		addrs = append(addrs, e.Addr().String())
		want := "metrics of " + string(b.Of.V)
		c := verify.Check{ID: fmt.Sprintf("%s/answers/%s", id, e.Addr()), Title: "metrics at " + e.String(), From: e.from}
		b.asked(p, c, e, want, func(s scrape) string {
			if s.Own == 0 {
				return "metrics, but none of " + string(b.Of.V)
			}
			return want
		})
	}
	at := b.Networks.Range
	if b.Port.Set {
		at = b.Port.Range
	}
	p.Listens(id+"/listen", at, "tcp", int(b.port()), addrs)
	parts := b.parts(r)
	if len(parts) == 0 {
		return
	}
	m := b.measure()
	want := "all of " + strings.Join(parts, ", ")
	c := verify.Check{ID: id + "/tells", Title: "what " + id + " tells of", From: b.Of.Range}
	b.asked(p, c, b.ends()[0], want, func(s scrape) string {
		var without []string
		for _, part := range parts {
			if v, ok := s.Samples[part]; !ok || m.says && v != 1 {
				without = append(without, part)
			}
		}
		if len(without) > 0 {
			return "nothing of " + strings.Join(without, ", ")
		}
		return want
	})
}

// asked adds a check of the metrics at an address.
func (b *Exporter) asked(p *verify.Plan, c verify.Check, e end, want string, judge func(scrape) string) {
	m := b.measure()
	hint := fmt.Sprintf("curl -g 'http://%s/metrics'; journalctl -u %s -n 20", e, b.unit())
	q := question{At: e.AddrPort, Prefix: m.prefix, Metric: m.metric, Label: m.label}
	verify.Asked(p, c, scrapeOf, q, want, hint, func(st *state.State, s scrape) verify.Verdict {
		switch {
		case s.Trouble == noAnswer && verify.Tentative(st, e.Addr().String()):
			return verify.Skipped(want, e.Addr().String()+" is tentative until there is a cable", hint)
		case s.Trouble != "":
			return verify.Judge(false, want, s.Trouble, hint)
		}
		return verify.Compare(want, judge(s), hint)
	})
}
