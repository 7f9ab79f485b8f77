package nftables

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/beevik/ntp"
	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
)

// startChrony starts a time server for all.
func startChrony(t *testing.T, source string) *lab.Daemon {
	t.Helper()
	root := lab.Rootfs(t, lab.Files{"/etc/chrony.conf": source + "\nallow\ncmdport 0\n", "/run/chrony/": ""})
	chrony := root.Daemon(t, new(nstest.NS), "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
	chrony.Ready(t, func() error {
		_, err := ntp.Query("127.0.0.1")
		return err
	})
	return chrony
}

// Daemons that are open to all say so.
func TestPortProbeOfDaemons(t *testing.T) {
	upstream(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	probetest.Unbound(t)
	startChrony(t, "local stratum 10")
	want := map[string]string{
		"wan udp/53": "DNS answer", "wan udp/123": "NTP answer", "wan tcp/53": "SYN-ACK",
		"wan udp/123 ipv6": "NTP answer",
	}
	nstest.Wait(t, func() error { // a daemon that gets no processor is silent for a while
		if d := cmp.Diff(want, probed(t, slices.Collect(maps.Keys(want))...)); d != "" {
			return errors.New(d)
		}
		return nil
	})
}

// A daemon that gets no processor is not closed: it is waited for, and when that takes too
// long, nothing is known. What it does not let in by itself is silence all the same.
func TestPortProbeOfStarvedDaemons(t *testing.T) {
	nstest.Upstream(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	unbound := probetest.Unbound(t)
	wantProbed(t, map[string]string{"wan udp/53": "DNS answer"})
	unbound.Signal(t, syscall.SIGSTOP)
	got := probed(t, "wan udp/53")["wan udp/53"]
	if !strings.HasPrefix(got, "error: udp/53 has not answered yet: ") || !strings.HasSuffix(got, " bytes wait to be read") {
		t.Error(got)
	}
	nstest.Filter(t, "drop", "") // which the queue is not behind: what was dropped never gets there
	unbound.Signal(t, syscall.SIGCONT)
	wantProbed(t, map[string]string{"wan udp/53": "silence"})
}

// A daemon that has its turn later than silence takes answers all the same.
func TestPortProbeOfLateDaemons(t *testing.T) {
	nstest.Upstream(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	unbound := probetest.Unbound(t)
	nstest.Wait(t, func() error {
		unbound.Signal(t, syscall.SIGSTOP)
		got := asks(t, "wan udp/53", watched{silent: func() { unbound.Signal(t, syscall.SIGCONT) }})
		switch {
		case got == "DNS answer":
			return nil
		case strings.HasPrefix(got, "error: udp/53 has not answered yet: "): // nor had this computer the time
			return errors.New(got)
		}
		t.Fatal(got)
		return nil
	})
}

// discovery lets pass what a neighbour's MAC address is learnt by.
const discovery = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
