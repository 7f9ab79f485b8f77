//go:build guest

package referee_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/verify/observe"
)

// runNBR runs the program of the guest; the test fails unless it exits with one of the codes and
// without a trace of a crash.
func runNBR(t *testing.T, codes []int, args ...string) string {
	t.Helper()
	cmd := exec.Command("/bin/nbr", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	code := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	fine := false
	for _, c := range codes {
		fine = fine || c == code
	}
	for _, trace := range []string{"goroutine ", "panic", "bug:"} {
		fine = fine && !strings.Contains(stdout.String()+stderr.String(), trace)
	}
	if !fine {
		t.Fatalf("nbr %s: exit code %d, of %v\n%s%s", strings.Join(args, " "), code, codes, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// A judged is what nbr verify -format json prints.
type judged struct {
	FormatVersion string `json:"format_version"`
	Router        string
	Summary       struct{ Pass, Fail, Unknown, Skip int }
	Results       []struct{ ID, Status, Want, Got string }
	Missed        map[string]string
}

// verifyJSON judges the machine, or a part of the spec, and checks that the report is whole.
func verifyJSON(t *testing.T, codes []int, args ...string) (judged, map[string]string) {
	t.Helper()
	text := runNBR(t, codes, append(append([]string{"verify", "-format", "json"}, args...), "/spec")...)
	var j judged
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	count := map[string]int{}
	status := map[string]string{}
	for _, r := range j.Results {
		count[r.Status]++
		if status[r.ID] != "" {
			t.Errorf("%s is there twice", r.ID)
		}
		status[r.ID] = r.Status
	}
	want := map[string]int{"pass": j.Summary.Pass, "fail": j.Summary.Fail, "unknown": j.Summary.Unknown, "skip": j.Summary.Skip}
	for s, n := range want {
		if count[s] != n {
			t.Errorf("%d of %s, and the summary says %d", count[s], s, n)
		}
		delete(count, s)
	}
	if len(count) > 0 || !strings.HasPrefix(j.FormatVersion, "1.") || j.Router != "bpi-r4" {
		t.Errorf("format %q, router %q, other verdicts: %v", j.FormatVersion, j.Router, count)
	}
	return j, status
}

// conduit gives the network card the name that it has on the board, as udev does there. The
// driver of the guest's switch looks for the other.
func conduit(t *testing.T) netlink.Link {
	t.Helper()
	card, err := netlink.LinkByName("eth0")
	if err == nil {
		err = netlink.LinkSetName(card, "end0")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(netlink.LinkSetDown(card), netlink.LinkSetName(card, "eth0")); err != nil {
			t.Error(err)
		}
	})
	return card
}

// The program packs its source to the very bytes that this machine's processor makes of it.
func TestGuestSource(t *testing.T) {
	archive, err := os.ReadFile("/source")
	if err != nil {
		t.Fatal(err)
	}
	runNBR(t, []int{0}, "gen", "-o", "/out", "/spec")
	got, err := os.ReadFile("/out/routers/nbr/" + flake.ArchiveName)
	if err != nil || !bytes.Equal(archive, got) {
		t.Errorf("%d bytes, %d on the desk: %v", len(got), len(archive), err)
	}
}

// What was recorded is this machine.
func TestGuestObserve(t *testing.T) {
	st, err := observe.Load(strings.NewReader(runNBR(t, []int{3}, "observe", "/spec")))
	if err != nil {
		t.Fatal(err)
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Fatal(err)
	}
	if st.Kernel == nil || st.Kernel.Release != unix.ByteSliceToString(uts.Release[:]) {
		t.Errorf("%+v", st.Kernel)
	}
	if st.Board == nil || len(st.Board.Compatible) != 1 || st.Board.Compatible[0] != "linux,dummy-virt" {
		t.Errorf("%+v", st.Board)
	}
	if l := st.Links["lan1"]; l.Kind != "dsa" || l.Parent != "eth0" || l.MACFrom != "permanent" {
		t.Errorf("lan1: %+v", l)
	}
	for _, part := range []string{"kernel", "units", "users"} {
		if st.Missed[part] == "" {
			t.Errorf("%s was seen, where there is none", part)
		}
	}
	if _, missed := st.Missed["links"]; missed {
		t.Errorf("%v", st.Missed)
	}
}

// Nothing is set up. What is of hardware is there all the same, and what cannot be seen is
// neither right nor wrong.
func TestGuestNothingIsSetUp(t *testing.T) {
	conduit(t)
	j, status := verifyJSON(t, []int{1})
	for id, want := range map[string]string{
		"firmware/board":                 "fail",    // QEMU's
		"firmware/kernel/NET_DSA":        "unknown", // Debian's kernel has no /proc/config.gz
		"firmware/kernel/WIREGUARD":      "unknown",
		"firmware/module/NET_DSA":        "pass", // the driver of the guest's switch needs it
		"firmware/module/WIREGUARD":      "pass", // Debian has the file
		"bridge.br-lan/kind":             "fail",
		"bridge.br-lan/port/lan1":        "fail",
		"bridge.br-lan/port/lan1/switch": "pass",
		"bridge.br-lan/port/lan3/switch": "pass",
		"network.wan/port/wan/switch":    "fail", // the guest's switch has another name for it
		"network.lan/ipv4":               "fail",
		"dhcp4.lan/unit":                 "unknown", // no systemd
		"wireguard.wg0/kind":             "fail",
		"interfaces/foreign/links":       "fail",
	} {
		if status[id] != want {
			t.Errorf("%s: %q, want %s", id, status[id], want)
		}
	}
	for _, r := range j.Results {
		if r.ID == "interfaces/foreign/links" && r.Got != "lan4 dsa" {
			t.Errorf("one port is not the board's: %s", r.Got)
		}
	}
	plan := runNBR(t, []int{0}, "verify", "-plan", "/spec")
	if lines := strings.Count(plan, "\n"); lines < 50 || lines != len(j.Results) {
		t.Errorf("%d lines of plan, %d results", lines, len(j.Results))
	}
	text := runNBR(t, []int{1}, "verify", "-only", "bridge.br-lan/port/lan1", "/spec")
	for _, want := range []string{"on /spec/router.hcl line 14, column 12:", "ports = [port.lan1, port.lan2, port.lan3]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the report:\n%s", want, text)
		}
	}
}

// The same bridge over the same ports, made by hand: its checks pass, and the one of a port that
// is taken out again does not.
func TestGuestBridgeIsSetUp(t *testing.T) {
	a := netlink.NewLinkAttrs()
	a.Name = "br-lan"
	bridge := &netlink.Bridge{LinkAttrs: a}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link := func(name string) netlink.Link {
		t.Helper()
		l, err := netlink.LinkByName(name)
		must(err)
		return l
	}
	must(netlink.LinkAdd(bridge))
	t.Cleanup(func() { must(netlink.LinkDel(bridge)) })
	for _, name := range []string{"br-lan", "lan1", "lan2", "lan3"} { // as IfState does before it sets them up
		for _, key := range []string{"accept_ra", "autoconf"} {
			must(os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/"+key, []byte("0"), 0))
		}
	}
	must(netlink.LinkSetUp(conduit(t)))
	for _, port := range []string{"lan1", "lan2", "lan3"} {
		must(netlink.LinkSetMaster(link(port), bridge))
		must(netlink.LinkSetUp(link(port)))
	}
	must(netlink.LinkSetUp(bridge))
	address, err := netlink.ParseAddr("192.168.178.1/24")
	must(err)
	must(netlink.AddrAdd(bridge, address))
	_, network, err := net.ParseCIDR("192.168.178.0/24")
	must(err)
	first := netlink.NewRule() // so that no upstream takes the network over
	first.Dst, first.Table, first.Priority = network, 130, 13000
	must(netlink.RuleAdd(first))
	t.Cleanup(func() { must(netlink.RuleDel(first)) })
	must(netlink.RouteAdd(&netlink.Route{Dst: network, LinkIndex: bridge.Attrs().Index, Table: 130}))

	j, before := verifyJSON(t, []int{0}, "-settle", "5m", "-only", "bridge.br-lan", "-only", "network.lan")
	if len(before) < 15 {
		t.Errorf("%d checks: %+v", len(before), j)
	}
	must(netlink.LinkSetNoMaster(link("lan2")))
	_, after := verifyJSON(t, []int{1}, "-only", "bridge.br-lan", "-only", "network.lan")
	var turned []string
	for _, r := range j.Results {
		if after[r.ID] != r.Status {
			turned = append(turned, r.ID+" "+after[r.ID])
		}
	}
	if d := cmp.Diff([]string{"bridge.br-lan/port/lan2 fail", "bridge.br-lan/port/lan2/flags fail"}, turned); d != "" {
		t.Error(d)
	}
}
