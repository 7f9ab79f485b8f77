package service_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// TestOrderOfKinds wants the same diagnostics, the same Nix and the same plan whatever
// the order of the kinds in the registry.
func TestOrderOfKinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, root := range []string{goodSpecs, badSpecs, "../testdata/routers"} {
		for _, dir := range folders(t, root) {
			var first string
			for turn := range 4 {
				reg := registry()
				if turn > 0 {
					rng.Shuffle(len(reg.Kinds), func(i, j int) { reg.Kinds[i], reg.Kinds[j] = reg.Kinds[j], reg.Kinds[i] })
				}
				spec, diags := reg.Load(os.DirFS(dir), nil)
				got := printed(t, spec, diags)
				if turn == 0 {
					first = got
				} else if d := cmp.Diff(first, got); d != "" {
					t.Errorf("%s, in another order (-before +after):\n%s", dir, d)
				}
			}
		}
	}
}

// names is a DNS server that nbr does not know.
type names struct {
	conf.Header
	Networks conf.Refs[*router.Network] `hcl:"networks,required"`
	seen     int                        // claims of others that Claim saw
}

func (n *names) Claim(s *router.Scope) {
	n.seen = len(router.Claimed[router.Listen](s.Router)) + len(router.Claimed[router.Kernel](s.Router))
	s.Listen(n.Networks.Range, router.Listen{Service: "dns", Protocol: router.UDP, Port: 53, Networks: n.Networks.All()})
}
func (n *names) Judge(*router.Router) hcl.Diagnostics { return nil }
func (n *names) Checks(*router.Router, *verify.Plan)  {}

// TestClaimsAreKnownWhenJudged has a service that claims a socket which another one asks
// for, once before and once after it in any order there is, and sees that no service
// can read claims while it claims.
func TestClaimsAreKnownWhenJudged(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "testdata", "routers", "bpi-r4", "router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []string{"aaa", "zzz"} {
		block := &names{}
		kinds := []service.Kind{{Type: typ, Single: true, New: func() service.Block { return block }}}
		reg := registry()
		for _, k := range reg.Kinds {
			if k.Type != "resolver" {
				kinds = append(kinds, k)
			}
		}
		reg.Kinds = kinds
		spec := bytes.Replace(src, []byte("\nresolver {"), []byte("\n"+typ+" {"), 1)
		_, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: spec}}, nil)
		for _, d := range diags {
			t.Errorf("%s: %s: %s", typ, diag.Code(d), d.Detail)
		}
		if block.seen != 0 {
			t.Errorf("%s saw %d claims while it claimed", typ, block.seen)
		}
	}
}
