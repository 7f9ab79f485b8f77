package referee_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// chronyConf is what services.chrony makes of its options. NixOS's own servers stand in
// networking.timeServers.
func chronyConf(t *testing.T, g *generated) string {
	t.Helper()
	if g.at("services", "chrony", "enable") != true {
		t.Fatal("chrony is off")
	}
	servers := g.list(t, "services", "chrony", "servers")
	if servers == nil {
		servers = []any{"0.nixos.pool.ntp.org", "1.nixos.pool.ntp.org"}
	}
	nts := g.at("services", "chrony", "enableNTS") == true
	var b strings.Builder
	for _, s := range servers {
		kind, authenticated := "server", ""
		if strings.Contains(s.(string), "pool") {
			kind = "pool"
		}
		if nts {
			authenticated = " nts"
		}
		fmt.Fprintf(&b, "%s %s iburst%s\n", kind, s, authenticated)
	}
	// Before 26.05 there is no such option, and the line is in extraConfig.
	if g.at("services", "chrony", "makestep", "enable") == true {
		fmt.Fprintf(&b, "makestep %v %v\n", g.at("services", "chrony", "makestep", "threshold"), g.at("services", "chrony", "makestep", "limit"))
	}
	b.WriteString("driftfile /var/lib/chrony/chrony.drift\nkeyfile /var/lib/chrony/chrony.keys\n")
	if nts {
		b.WriteString("ntsdumpdir /var/lib/chrony\n")
	}
	// A router may have no clock of its own: what NixOS asks of it must not stop chronyd.
	b.WriteString("rtcfile /var/lib/chrony/chrony.rtc\nrtcautotrim 30\nrtconutc\n")
	if extra, ok := g.at("services", "chrony", "extraConfig").(string); ok {
		b.WriteString(extra)
	}
	return b.String()
}

func TestChronyAccepts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"bpi-r4": nil,
		"vlans":  {"server 192.0.2.123 iburst", "server ntp.example.org iburst", "allow 10.0.10.0/24", "allow fd00:0:0:10::/64"},
		"quiet":  {"server time.cloudflare.com iburst nts", "nocerttimecheck 1"},
		"bare":   nil,
		"26.05":  nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := nstest.New(t, "router")
			g := fromText(t, strings.Replace(template, "memory ", "release = \"26.05\"\n  memory ", 1))
			if name != "26.05" {
				g = spec(t, name)
			}
			root := lab.Rootfs(t, lab.Files{"/etc/chrony.conf": chronyConf(t, g)})
			printed := root.Run(t, ns, "chronyd", "-p", "-f", "/etc/chrony.conf")
			if n := strings.Count("\n"+printed, "\nmakestep 1"); n != 1 || strings.Count(printed, "makestep") != 1 {
				t.Errorf("not one makestep:\n%s", printed)
			}
			for _, line := range want {
				if !strings.Contains(printed, line+"\n") {
					t.Errorf("chronyd has not read %q:\n%s", line, printed)
				}
			}
		})
	}
}

// Networks that get time get it, others do not. -x leaves the machine's clock alone.
func TestChronyServes(t *testing.T) {
	t.Parallel()
	g := spec(t, "vlans")
	router, clients := lan(t, "v10 10.0.10.1/24", "v20 10.0.20.1/24")
	ip(t, clients[0], "addr add 10.0.10.5/24 dev eth0\n")
	ip(t, clients[1], "addr add 10.0.20.5/24 dev eth0\n")
	root := lab.Rootfs(t, lab.Files{"/etc/chrony.conf": chronyConf(t, g) + "local stratum 10\n", "/run/chrony/": ""})
	chrony := root.Daemon(t, router, "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
	// A question of SNTP (RFC 4330); the answer is as long.
	question := append([]byte{0x23}, make([]byte, 47)...)
	served := flow{from: clients[0], proto: "udp", to: "10.0.10.1:123"}
	mark := marker(t)
	chrony.Ready(t, func() error { // it listens before it has read which clients it may answer
		if answer, err := served.silence(question, mark); len(answer) != 48 {
			return fmt.Errorf("%q, %v", answer, err)
		}
		return nil
	})
	// chronyd has read the question of the one when it answers the later one of the other.
	got, err := flow{from: clients[1], proto: "udp", to: "10.0.20.1:123"}.silence(question, func() error {
		_, err := served.exchange(question)
		return err
	})
	if got != "drop" {
		t.Errorf("a network that is not to get time gets %q, %v", got, err)
	}
	if strings.Contains(chrony.Log(), "Fatal") {
		t.Error(chrony.Log())
	}
}
