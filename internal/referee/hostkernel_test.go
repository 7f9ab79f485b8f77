package referee_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe"
)

// The kernel of the machine that runs the tests is no router's: nbr names the options
// that it lacks, exactly, and zgrep agrees.
func TestThisMachinesKernel(t *testing.T) {
	src := `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "iot" {
  link = port.end1
  id   = 30
}

network "iot" {
  link = vlan.iot
  ipv4 = "192.0.2.1/24"
}

zone "iot" {
  networks = [network.iot]
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0
}

firmware {
  kernel_options = ["DUMMY", "BONDING"]
}
`
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(src)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	results, err := verify.Eval(spec.Plan(), observe.Look(t.Context(), observe.Options{Passive: true}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		if symbol, ok := strings.CutPrefix(r.ID, "firmware/kernel/"); ok && r.Status == verify.Fail {
			got = append(got, symbol)
		}
	}
	config, err := nstest.Output(exec.Command("zcat", "/proc/config.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, k := range spec.Router.KernelSymbols() {
		if !strings.Contains(config, "\nCONFIG_"+k.Symbol+"=") {
			want = append(want, k.Symbol)
		}
	}
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	t.Logf("this kernel lacks %s", strings.Join(want, " "))
}
