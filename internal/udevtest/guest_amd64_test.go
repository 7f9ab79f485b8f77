//go:build guest

package udevtest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

// The real udev calls a port what the spec calls it, known by its MAC address or by its slot, and
// leaves alone the VLAN on it; nbr verify finds the port, and finds
// out one that has the name of another.
func TestGuestPortNames(t *testing.T) {
	run := func(program string, args ...string) error {
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, out)
		}
		return nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const folder = "/etc/systemd/network"
	must(os.MkdirAll(folder, 0o755))
	must(os.MkdirAll("/run/udev", 0o755))
	must(run("ip", "link", "add", "link", "eth0", "name", "house", "type", "vlan", "id", "7"))
	udev := exec.Command("/usr/lib/systemd/systemd-udevd")
	udev.Stderr = os.Stderr
	must(udev.Start())
	t.Cleanup(func() {
		_ = udev.Process.Kill()
		_ = udev.Wait()
		_ = run("ip", "link", "del", "house")
	})
	nstest.Wait(t, func() error { return run("udevadm", "control", "--ping") })

	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	plan := func(name, which string) *verify.Plan {
		spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(spec(name, which))}}, nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return spec.Plan()
	}
	other := strings.NewReplacer("52:54:00:12:34:56", "52:54:00:12:34:57", "0000:00:02.0", "0000:00:09.0")
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		b, err := os.ReadFile(linkDir + name)
		must(err)
		file := folder + "/10-" + name + ".link"
		must(os.WriteFile(file, b, 0o644))
		must(run("udevadm", "control", "--reload"))
		must(run("udevadm", "trigger", "--action=add", "--subsystem-match=net", "--settle"))
		n, err := netstate.Look(t.Context(), "", nil)
		must(err)
		if l, ok := n.Links[name]; !ok || n.Links["house"].Parent != name {
			t.Fatalf("after udev there are %q, and %s is on %s; the file was\n%s", slices.Sorted(maps.Keys(n.Links)), "house", n.Links["house"].Parent, b)
		} else if l.PermanentMAC == "" || l.PCI == "" {
			t.Errorf("%+v", l)
		}
		judged := 0
		for which, want := range map[string]verify.Status{ports[name]: verify.Pass, other.Replace(ports[name]): verify.Fail} {
			results, err := verify.Eval(plan(name, which), &state.State{Links: n.Links})
			must(err)
			for _, r := range results {
				if strings.HasPrefix(r.ID, "port."+name+"/") {
					judged++
					if r.Status != want {
						t.Errorf("%s is %v: %s, wanted %s", r.ID, r.Status, r.Got, r.Want)
					}
				}
			}
		}
		if judged != 2 {
			t.Errorf("%s: %d checks of the port", name, judged)
		}
		must(os.Remove(file))
		must(run("ip", "link", "set", name, "name", "eth0"))
	}
}
