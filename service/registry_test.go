package service_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/kea"
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
