package page

import (
	"fmt"

	"github.com/nbr-dev/nbr/router/starter"
)

// A Board is what the form asks of one.
type Board struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Name    string   `json:"name"`   // a name for a router on it
	Memory  []string `json:"memory"` // the sizes that it is sold with; none where it has what was put in
	Largest string   `json:"largest"`
	Ports   []string `json:"ports"` // that can lead to the Internet; none where it has what ports it has
	WAN     string   `json:"wan"`   // the one that does unless another is chosen; empty is a VLAN
}

// Boards are what the form has to choose from, with what it begins with first.
type Boards struct {
	First  string  `json:"first"`
	Subnet int     `json:"subnet"`
	Boards []Board `json:"boards"`
}

// Boards are those of the registry.
func (p *Page) Boards() Boards {
	out := Boards{First: starter.Board, Subnet: starter.Subnet, Boards: []Board{}}
	for _, b := range p.reg.Boards {
		x := Board{ID: b.ID, Title: b.Name, Name: starter.Name(b), Memory: []string{}, Largest: starter.Memory(b), Ports: append([]string{}, starter.Ports(b)...), WAN: starter.WAN(b)}
		for _, m := range b.Memory {
			x.Memory = append(x.Memory, m.Size.String())
		}
		out.Boards = append(out.Boards, x)
	}
	return out
}

// A Choice is what the form says; empty is the default of each.
type Choice struct {
	Board  string `json:"board"`
	Name   string `json:"name"`
	Memory string `json:"memory"`
	WAN    string `json:"wan"`
	Subnet int    `json:"subnet"`
	Key    string `json:"key"`
	Tunnel bool   `json:"tunnel"`
	Guests bool   `json:"guests"`
	Things bool   `json:"things"`
}

// Started is a first spec.
type Started struct {
	Files map[string]string `json:"files"`
}

// Starter is the first spec of a choice.
func (p *Page) Starter(c Choice) (Started, error) {
	for _, b := range p.reg.Boards {
		if b.ID != c.Board {
			continue
		}
		text, err := starter.Spec(starter.Choice{
			Board: b, Name: c.Name, Memory: c.Memory, WAN: c.WAN, Subnet: c.Subnet, Key: c.Key,
			Tunnel: c.Tunnel, Guests: c.Guests, Things: c.Things,
		})
		return Started{map[string]string{"router.hcl": text}}, err
	}
	return Started{}, fmt.Errorf("there is no board %q", c.Board)
}
