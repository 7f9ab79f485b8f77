package all_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// An option that the kernel lacks is named by its own check, with the line that needs
// it, and by no other.
func TestEachKernelOptionIsMissed(t *testing.T) {
	article, err := os.ReadFile("../../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	src := string(article) + `
vlan "iot" {
  link = port.end1
  id   = 30
}

firewall {
  flow_offload = true
}

firmware {
  kernel_options = ["NET_SCH_CAKE", "DUMMY", "BONDING"]
}
`
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(src)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.PlanOf(func(k service.Kind) bool { return k.Type == "firmware" })
	recorded, err := os.ReadFile("../../testdata/states/bpi-r4.json")
	if err != nil {
		t.Fatal(err)
	}
	var good state.State
	if err := json.Unmarshal(recorded, &good); err != nil {
		t.Fatal(err)
	}
	for _, k := range spec.Router.KernelSymbols() {
		good.Kernel.Config[k.Symbol] = "m"
		if o := firmware.Options()[k.Symbol]; o.Module != "" {
			good.Modules[o.Module] = "available"
		}
	}
	fails := func(st *state.State) (out []verify.Result) {
		results, err := verify.Eval(plan, st)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Status == verify.Fail {
				out = append(out, r)
			}
		}
		return out
	}
	if f := fails(&good); len(f) > 0 {
		t.Fatalf("all are there, and %s fails", f[0].ID)
	}
	n := 0
	for _, k := range spec.Router.KernelSymbols() {
		n++
		bad := good
		kernel := *good.Kernel
		kernel.Config = maps.Clone(kernel.Config)
		delete(kernel.Config, k.Symbol)
		bad.Kernel = &kernel
		f := fails(&bad)
		if len(f) != 1 || f[0].ID != "firmware/kernel/"+k.Symbol || f[0].From != k.From {
			t.Errorf("without %s, which line %d needs: %s", k.Symbol, k.From.Start.Line, ids(f))
		}
		if o := firmware.Options()[k.Symbol]; o.Module != "" {
			bad := good
			bad.Modules = maps.Clone(good.Modules)
			delete(bad.Modules, o.Module)
			if f := fails(&bad); len(f) != 1 || f[0].ID != "firmware/module/"+k.Symbol || f[0].From != k.From {
				t.Errorf("without the module %s, which line %d needs: %s", o.Module, k.From.Start.Line, ids(f))
			}
		}
	}
	if n < 15 {
		t.Errorf("the spec claims %d options only", n)
	}
}

func ids(results []verify.Result) string {
	var out []string
	for _, r := range results {
		out = append(out, fmt.Sprintf("%s at line %d", r.ID, r.From.Start.Line))
	}
	return strings.Join(out, ", ")
}
