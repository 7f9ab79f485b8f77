package verify

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify/state"
)

func TestEvalWantsChecks(t *testing.T) {
	if _, err := Eval(&Plan{}, &state.State{}); err == nil {
		t.Error("a plan without checks was verified")
	}
}

func TestTheZeroVerdictIsUnknown(t *testing.T) {
	if got := (Verdict{}).Status; got != Unknown {
		t.Errorf("it is %s", got)
	}
}

func TestAddRefusesTwins(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two checks have one ID")
		}
	}()
	p := &Plan{}
	p.Add(Check{ID: "a/b"})
	p.Add(Check{ID: "a/b"})
}

func TestNeedsAreAskedOnce(t *testing.T) {
	a, b := state.Need{Kind: state.NeedFile, Name: "/a"}, state.Need{Kind: state.NeedSysctl, Name: "b"}
	p := &Plan{}
	p.Add(Check{ID: "1", Needs: []state.Need{a, b}})
	p.Add(Check{ID: "2", Needs: []state.Need{b}})
	if d := cmp.Diff([]state.Need{a, b}, p.Needs()); d != "" {
		t.Error(d)
	}
}

func TestBlock(t *testing.T) {
	for id, want := range map[string]string{
		"network.lan/ipv4":         "network.lan",
		`vlan.v["a/b"]/up`:         `vlan.v["a/b"]`,
		`network.v["x"]/ipv4/more`: `network.v["x"]`,
		"resolver":                 "resolver",
	} {
		if got := (Check{ID: id}).Block(); got != want {
			t.Errorf("%s is of %s, not of %s", id, got, want)
		}
	}
}

func TestUnitActive(t *testing.T) {
	for name, c := range map[string]struct {
		units map[string]state.Unit
		want  Status
	}{
		"runs":       {map[string]state.Unit{"a.service": {Active: "active"}}, Pass},
		"failed":     {map[string]state.Unit{"a.service": {Active: "failed"}}, Fail},
		"other":      {map[string]state.Unit{"b.service": {Active: "active"}}, Fail},
		"none":       {map[string]state.Unit{}, Fail},
		"not looked": {nil, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Plan{}
			p.UnitActive("a/unit", hcl.Range{}, "a.service")
			if got := p.Checks[0].Eval(&state.State{Units: c.units}).Status; got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

func TestListens(t *testing.T) {
	on := func(addrs ...string) []state.Listener {
		out := []state.Listener{{Protocol: "udp", Address: "192.0.2.1", Port: 22}, {Protocol: "tcp", Address: "192.0.2.1", Port: 23}}
		for _, a := range addrs {
			out = append(out, state.Listener{Protocol: "tcp", Address: a, Port: 22})
		}
		return out
	}
	for name, c := range map[string]struct {
		want   []string
		seen   []state.Listener
		status Status
	}{
		"there":             {[]string{"192.0.2.1"}, on("192.0.2.1"), Pass},
		"in another order":  {[]string{"192.0.2.1", "::1"}, on("::1", "192.0.2.1"), Pass},
		"twice":             {[]string{"192.0.2.1"}, on("192.0.2.1", "192.0.2.1"), Pass},
		"not there":         {[]string{"192.0.2.1"}, on(), Fail},
		"elsewhere":         {[]string{"192.0.2.1"}, on("192.0.2.2"), Fail},
		"another program":   {[]string{"192.0.2.1"}, on("192.0.2.1", "127.0.0.2"), Pass},
		"one more":          {[]string{"192.0.2.1"}, on("192.0.2.1", "203.0.113.1"), Fail},
		"everywhere":        {[]string{"192.0.2.1"}, on("0.0.0.0"), Fail},
		"should everywhere": {nil, on("::"), Pass},
		"only somewhere":    {nil, on("192.0.2.1"), Fail},
		"not looked":        {[]string{"192.0.2.1"}, nil, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Plan{}
			p.Listens("a/listen", hcl.Range{}, "tcp", 22, c.want, "127.0.0.2")
			if v := p.Checks[0].Eval(&state.State{Listeners: c.seen}); v.Status != c.status {
				t.Errorf("%s, not %s: want %q, got %q", v.Status, c.status, v.Want, v.Got)
			}
		})
	}
}
