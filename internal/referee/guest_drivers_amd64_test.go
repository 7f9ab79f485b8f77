//go:build guest

package referee_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

// A card with rings has them as the spec says, and is told again when another hand has changed them.
func TestGuestRings(t *testing.T) {
	script, err := os.ReadFile(ringsFile)
	if err != nil {
		t.Fatal(err)
	}
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(template + ringSettings)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan, router := spec.Plan(), new(nstest.NS)
	ip(t, router, "link set eth0 down\nlink set eth0 name wan\nlink set wan up\n")
	defer ip(t, router, "link set wan down\nlink set wan name eth0\n")
	are := func(want ...string) error {
		d, err := netstate.Driver("wan")
		if err != nil {
			t.Fatal(err)
		}
		results, err := verify.Eval(plan, &state.State{Drivers: map[string]state.Driver{"wan": d}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			if r.Status == verify.Fail {
				got = append(got, r.ID+": "+r.Got)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			return fmt.Errorf("(-want +got)\n%s", d)
		}
		return nil
	}
	if err := are(); err == nil {
		t.Error("before the driver was told it has these rings")
	}
	unit := router.Command(t, "/usr/bin/bash", "-ec", string(script))
	unit.Stderr = os.Stderr
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() {
		_ = syscall.Kill(-unit.Process.Pid, syscall.SIGKILL)
		_ = unit.Wait()
	}
	t.Cleanup(end)
	nstest.Wait(t, func() error { return are() })
	_ = syscall.Kill(-unit.Process.Pid, syscall.SIGSTOP)
	router.Run(t, "ethtool", "-G", "wan", "rx", "32")
	if err := are("port.wan/rx_ring: 32"); err != nil {
		t.Error(err)
	}
	_ = syscall.Kill(-unit.Process.Pid, syscall.SIGCONT)
	ip(t, router, "link set wan alias news\n")
	nstest.Wait(t, func() error { return are() })
}
