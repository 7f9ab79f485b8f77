package lldpd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/nbr-dev/nbr/verify/probe"
)

// answer is what lldpd says of itself and its neighbours.
type answer struct {
	Name        string     `json:"name,omitempty"`
	Description string     `json:"description,omitempty"`
	Management  []string   `json:"management,omitempty"` // addresses
	Ports       []port     `json:"ports,omitempty"`
	Neighbors   []neighbor `json:"neighbors,omitempty"`
}

// A port is one of the router's own on which lldpd is.
type port struct {
	Name   string `json:"name"`
	Status string `json:"status"`         // in lldpd's words
	TTL    int    `json:"ttl,omitempty"`  // for how long neighbours remember the router, in seconds
	Sent   int    `json:"sent,omitempty"` // frames
}

// A neighbor is what another machine says.
type neighbor struct {
	On          string `json:"on"` // the router's own port
	System      string `json:"system,omitempty"`
	Port        string `json:"port,omitempty"`
	Description string `json:"description,omitempty"` // of its port
}

// heard asks lldpd by its own client.
var heard = &probe.Probe[struct{}, answer]{Name: "lldpd.heard", Look: look}

// look uses json0, which has lists where json has one or several in different forms (lldpcli(8)).
func look(ctx context.Context, h probe.Host, _ struct{}) (answer, error) {
	var all said
	for _, what := range [][]string{{"chassis"}, {"interfaces"}, {"statistics"}, {"neighbors"}} {
		out, err := h.Run(ctx, "lldpcli", append([]string{"-f", "json0", "show"}, what...)...)
		if err != nil {
			return answer{}, err
		}
		if out.Exit != 0 {
			return answer{}, fmt.Errorf("lldpcli show %s: exit code %d", what[0], out.Exit)
		}
		var one said
		if err := json.Unmarshal(out.Stdout, &one); err != nil {
			return answer{}, fmt.Errorf("lldpcli show %s: %w", what[0], err)
		}
		for _, l := range one.LLDP {
			for _, i := range l.Interface {
				i.neighbor = what[0] == "neighbors"
				all.interfaces = append(all.interfaces, i)
			}
		}
		all.Local = append(all.Local, one.Local...)
	}
	return all.answer(), nil
}

// said is what lldpcli prints, as far as it is read.
type said struct {
	Local []struct{ Chassis []chassis } `json:"local-chassis"`
	LLDP  []struct{ Interface []onPort }

	interfaces []onPort
}

type values []struct{ Value string }

type chassis struct {
	Name, Descr values
	MgmtIP      values `json:"mgmt-ip"`
}

// onPort is of one of the router's own ports: the port itself, its statistics, or a neighbour.
type onPort struct {
	Name    string
	Status  values
	TTL     []struct{ TTL string }
	Tx      []struct{ Tx string }
	Chassis []chassis
	Port    []struct{ ID, Descr values }

	neighbor bool
}

func (v values) first() string {
	if len(v) == 0 {
		return ""
	}
	return v[0].Value
}

func (s *said) answer() answer {
	var a answer
	for _, l := range s.Local {
		for _, c := range l.Chassis {
			a.Name, a.Description = c.Name.first(), c.Descr.first()
			for _, m := range c.MgmtIP {
				a.Management = append(a.Management, m.Value)
			}
		}
	}
	ports := map[string]*port{}
	for _, i := range s.interfaces {
		if i.neighbor {
			a.Neighbors = append(a.Neighbors, i.hears())
			continue
		}
		p := ports[i.Name]
		if p == nil {
			p = &port{Name: i.Name}
			ports[i.Name] = p
		}
		p.Status = cmp.Or(i.Status.first(), p.Status)
		for _, v := range i.TTL {
			p.TTL, _ = strconv.Atoi(v.TTL) // 0 is no time
		}
		for _, v := range i.Tx {
			p.Sent, _ = strconv.Atoi(v.Tx)
		}
	}
	for _, p := range ports {
		a.Ports = append(a.Ports, *p)
	}
	slices.SortFunc(a.Ports, func(a, b port) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(a.Neighbors, func(a, b neighbor) int {
		return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.System, b.System), cmp.Compare(a.Port, b.Port))
	})
	return a
}

// hears is the neighbour that is heard on the port.
func (i *onPort) hears() neighbor {
	n := neighbor{On: i.Name}
	for _, c := range i.Chassis {
		n.System = c.Name.first()
	}
	for _, p := range i.Port {
		n.Port, n.Description = p.ID.first(), p.Descr.first()
	}
	return n
}
