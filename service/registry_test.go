package service_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/kea"
	"github.com/nbr-dev/nbr/verify/probe"
)

// TestRegistryCheck wants a list of kinds that cannot be one language to be refused with
// both owners of a name.
func TestRegistryCheck(t *testing.T) {
	called := func(name string) service.Kind {
		k := kea.DHCP4Kind()
		k.Type = name
		return k
	}
	for name, tt := range map[string]struct {
		more []service.Kind
		want string
	}{
		"built in": {nil, ""},
		"another":  {[]service.Kind{called("hello")}, ""},
		"a built-in kind again": {[]service.Kind{called("time")}, `two kinds of blocks are called "time", one of github.com/nbr-dev/nbr/service/chrony and one of github.com/nbr-dev/nbr/service/kea. ` +
			"Give one of them another Type, or leave it out of the list that cmd.Main gets"},
		"one kind twice": {[]service.Kind{called("hello"), called("hello")}, `two kinds of blocks are called "hello", one of github.com/nbr-dev/nbr/service/kea and one of github.com/nbr-dev/nbr/service/kea. ` +
			"Give one of them another Type, or leave it out of the list that cmd.Main gets"},
		"a type of the core": {[]service.Kind{called("network")}, `two kinds of blocks are called "network", one of nbr's core and one of github.com/nbr-dev/nbr/service/kea. ` +
			"Give one of them another Type, or leave it out of the list that cmd.Main gets"},
		"a root of references": {[]service.Kind{called("var")}, `two kinds of blocks are called "var", one of the references of the language and one of github.com/nbr-dev/nbr/service/kea. ` +
			"Give one of them another Type, or leave it out of the list that cmd.Main gets"},
		"no identifier": {[]service.Kind{called("he llo")}, `"he llo" of github.com/nbr-dev/nbr/service/kea is no type of a block: it has to be an identifier of HCL`},
		"no New":        {[]service.Kind{{Type: "hello"}}, `the kind "hello" has no New`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			reg := &service.Registry{Kinds: append(all.Kinds(), tt.more...)}
			if err := reg.Check(); err != nil {
				got = err.Error()
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Two probes of one name are refused, and one that two kinds share is not.
func TestRegistryRefusesProbesOfOneName(t *testing.T) {
	own := &probe.Probe[string, string]{Name: "hello.motd"}
	hello := func(p probe.Any) []service.Kind {
		k := kea.DHCP4Kind()
		k.Type, k.Probes = "hello", []probe.Any{p}
		return append(all.Kinds(), k)
	}
	for name, tt := range map[string]struct {
		kinds []service.Kind
		want  string
	}{
		"its own":  {hello(own), ""},
		"shared":   {hello(probe.Settings), ""},
		"built in": {hello(&probe.Probe[string, string]{Name: "chrony.time"}), `two probes are called "chrony.time", one of github.com/nbr-dev/nbr/service/chrony and one of github.com/nbr-dev/nbr/service/kea. Give one of them another Name`},
		"a copy":   {hello(&probe.Probe[probe.Setting, []string]{Name: "file.settings"}), `two probes are called "file.settings", one of github.com/nbr-dev/nbr/service/nixos and one of github.com/nbr-dev/nbr/service/kea. Give one of them another Name`},
		"no name":  {hello(&probe.Probe[string, string]{}), "a probe of github.com/nbr-dev/nbr/service/kea has no Name"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := (&service.Registry{Kinds: tt.kinds}).Check(); err != nil {
				got = err.Error()
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A probe that no kind lists has not been seen by the registry: its question is refused.
func TestPlanRefusesProbesThatAreNotListed(t *testing.T) {
	kinds := all.Kinds()
	for i := range kinds {
		if kinds[i].Type == "ssh" {
			kinds[i].Probes = nil
		}
	}
	reg := &service.Registry{Kinds: kinds, Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS("../testdata/routers/bpi-r4"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defer func() {
		const want = "asks by the probe openssh.banner, which is not among the Probes of its Kind"
		if got := fmt.Sprint(recover()); !strings.HasSuffix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}()
	spec.Plan()
}
