package starter_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/starter"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"

// Of what is chosen nothing is to be said, whichever board it is for, and what was not chosen is not there.
func TestChoices(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	for _, b := range firmware.Boards() {
		choices := []starter.Choice{{}, {Tunnel: true}, {Guests: true}, {Things: true, Subnet: 9}, {Tunnel: true, Guests: true, Things: true, Subnet: 240, Name: "gate"}}
		for _, p := range starter.Ports(b) {
			choices = append(choices, starter.Choice{WAN: p, Guests: true})
		}
		for _, m := range b.Memory {
			choices = append(choices, starter.Choice{Memory: m.Size.String()})
		}
		for _, c := range choices {
			c.Board, c.Key = b, key
			text, err := starter.Spec(c)
			if err != nil {
				t.Fatalf("%s %+v: %v", b.ID, c, err)
			}
			spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text)}}, nil)
			for _, d := range diags {
				t.Errorf("%s %+v: %s: %s", b.ID, c, diag.Code(d), diag.Text(d))
			}
			if diags.HasErrors() {
				t.Fatal(text)
			}
			judge(t, spec.Router, c, text)
		}
	}
}

// judge wants what was chosen in the router.
func judge(t *testing.T, r *router.Router, c starter.Choice, text string) {
	t.Helper()
	networks := map[string]string{}
	for _, n := range r.Networks {
		fixed, _ := n.Split()
		networks[n.Addr.Name] = fmt.Sprint(n.Device(), " ", fixed)
	}
	for name, wanted := range map[string]bool{"lan": true, "wan": true, "vpn": c.Tunnel, "guests": c.Guests, "things": c.Things} {
		if _, is := networks[name]; is != wanted {
			t.Errorf("%s %+v: network %s is there: %t\n%s", c.Board.ID, c, name, is, text)
		}
	}
	subnet := c.Subnet
	if subnet == 0 {
		subnet = starter.Subnet
	}
	if want := fmt.Sprintf("192.168.%d.1/24", subnet); !strings.Contains(networks["lan"], want) {
		t.Errorf("%s %+v: the house is %s, want %s", c.Board.ID, c, networks["lan"], want)
	}
	if c.WAN != "" && len(starter.Ports(c.Board)) > 1 && !strings.HasPrefix(networks["wan"], c.WAN+" ") {
		t.Errorf("%s %+v: the way to the Internet is %s", c.Board.ID, c, networks["wan"])
	}
	if !c.Tunnel && (strings.Contains(text, "wg0") || strings.Contains(text, "vpn")) {
		t.Errorf("%s %+v: a tunnel that was not chosen:\n%s", c.Board.ID, c, text)
	}
	if c.Name != "" && string(r.Name.V) != c.Name {
		t.Errorf("%s %+v: it is called %s", c.Board.ID, c, r.Name.V)
	}
	if c.Memory != "" && r.System.Memory.V.String() != c.Memory {
		t.Errorf("%s %+v: it has %s", c.Board.ID, c, r.System.Memory.V)
	}
}

// What the template says of its own board is not lost when a form says it, too.
func TestDefaultsSaid(t *testing.T) {
	for _, b := range firmware.Boards() {
		short, err := starter.Spec(starter.Choice{Board: b, Tunnel: true})
		if err != nil {
			t.Fatal(err)
		}
		long, err := starter.Spec(starter.Choice{Board: b, Tunnel: true, Name: starter.Name(b), Memory: starter.Memory(b), WAN: starter.WAN(b), Subnet: starter.Subnet})
		if err != nil {
			t.Fatal(err)
		}
		if short != long {
			t.Errorf("%s: with all of it said it is another spec:\n%s\n%s", b.ID, short, long)
		}
	}
}

func TestRefused(t *testing.T) {
	r4 := firmware.Boards()[0]
	for _, b := range firmware.Boards() {
		if b.ID == starter.Board {
			r4 = b
		}
	}
	for want, c := range map[string]starter.Choice{
		`is no name`:        {Name: "a b"},
		"8GiB of memory":    {Memory: "3GiB"},
		`no port "lan9"`:    {WAN: "lan9"},
		"is no network":     {Subnet: 256},
		"192.168.-1.0/24":   {Subnet: -1},
		"no SSH public key": {Key: "-----BEGIN OPENSSH PRIVATE KEY-----"},
		"ssh-ed25519":       {Key: "ssh-ed25519 AAAA\nssh-rsa BBBB"},
	} {
		c.Board = r4
		text, err := starter.Spec(c)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q\n%s", c, err, want, text)
		}
		if err != nil && c.Key != "" && strings.Contains(err.Error(), c.Key) {
			t.Errorf("a key is in %q", err)
		}
	}
}
