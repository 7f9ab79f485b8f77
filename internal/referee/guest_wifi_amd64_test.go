//go:build guest

package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A flat is a router with two radios, a host on its cable, and clients with a radio each.
type flat struct {
	spec         string // the folder with the spec, and what hostapd reads for each radio
	router, host *nstest.NS
	clients      []*nstest.NS
	hostapd      *running
}

// newRadios makes radios of mac80211_hwsim besides the two that the module has, until there are n
// (HWSIM_CMD_NEW_RADIO of drivers/net/wireless/virtual/mac80211_hwsim.h).
func newRadios(t *testing.T, n int) {
	t.Helper()
	family, err := netlink.GenlFamilyGet("MAC80211_HWSIM")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := os.Stat(fmt.Sprintf("/sys/class/net/wlan%d", i)); err == nil {
			continue
		}
		req := nl.NewNetlinkRequest(int(family.ID), unix.NLM_F_ACK)
		req.AddData(&nl.Genlmsg{Command: 4, Version: 1})
		_, _ = req.Execute(unix.NETLINK_GENERIC, 0) // the radio's number comes in the place of an error
		if _, err := os.Stat(fmt.Sprintf("/sys/class/net/wlan%d", i)); err != nil {
			t.Fatal(err)
		}
	}
}

func newFlat(t *testing.T, spec string) *flat {
	t.Helper()
	f := &flat{spec: spec, router: nstest.New(t, "router"), host: nstest.New(t, "host")}
	newRadios(t, 5)
	if err := os.MkdirAll("/var/lib/secrets", 0o700); err != nil {
		t.Fatal(err)
	}
	for file, password := range wifiPasswords {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self := new(nstest.NS)
	give := func(i int, to *nstest.NS, name string) {
		phy, err := os.ReadFile(fmt.Sprintf("/sys/class/net/wlan%d/phy80211/name", i))
		if err != nil {
			t.Fatal(err)
		}
		pid := start(t, to, "/run/sleep.log", "sleep", "600") // iw knows a namespace by a process in it
		defer pid.stop()
		own := strings.TrimSpace(to.Run(t, "readlink", "/proc/self/ns/net"))
		nstest.Wait(t, func() error {
			there, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid.Process.Pid))
			if err == nil && there != own {
				err = errors.New("ip netns exec is not in the namespace yet")
			}
			return err
		})
		self.Run(t, "iw", "phy", strings.TrimSpace(string(phy)), "set", "netns", fmt.Sprint(pid.Process.Pid))
		to.Run(t, "ip", "link", "set", fmt.Sprintf("wlan%d", i), "name", name)
	}
	give(0, f.router, "radio2")
	give(1, f.router, "radio5")
	for i := range 3 {
		c := nstest.New(t, "client")
		give(2+i, c, "wlan")
		f.clients = append(f.clients, c)
	}
	nstest.Link(t, f.router, "lan1", f.host, "eth0")
	ip(t, f.router, `link add home type bridge
link add guests type bridge
link set lan1 master home
link set home up
link set guests up
addr add 192.168.1.1/24 dev home
addr add 192.168.2.1/24 dev guests
`)
	ip(t, f.host, "addr add 192.168.1.9/24 dev eth0\n")
	return f
}

// serve starts hostapd as its unit does.
func (f *flat) serve(t *testing.T, change func(string) string) {
	t.Helper()
	if err := os.MkdirAll("/run/hostapd", 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"hostapd"}
	radios, err := filepath.Glob(f.spec + "/radio?.conf")
	if err != nil || len(radios) == 0 {
		t.Fatal(radios, err)
	}
	for _, from := range radios {
		radio := strings.TrimSuffix(filepath.Base(from), ".conf")
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		file := "/run/hostapd/" + radio + ".hostapd.conf"
		if err := os.WriteFile(file, []byte(change(string(b))), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	f.hostapd = start(t, f.router, "/run/hostapd.log", args...)
	t.Cleanup(f.hostapd.stop)
	nstest.Wait(t, func() error {
		if n := strings.Count(f.hostapd.said(), "AP-ENABLED"); n < len(radios) {
			return fmt.Errorf("%d radios are on\n%s", n, f.hostapd.said())
		}
		return nil
	})
}

// join has a client join a network on a frequency with what wpa_supplicant.conf(5) says of it.
func (f *flat) join(t *testing.T, client, mhz int, address string, network ...string) *running {
	t.Helper()
	ns, name := f.clients[client], fmt.Sprintf("/run/client%d", client)
	// It knows networks on other frequencies from earlier scans.
	conf := fmt.Sprintf("network={\nscan_freq=%d\nfreq_list=%[1]d\n%s\n}\n", mhz, strings.Join(network, "\n"))
	if err := os.WriteFile(name+".conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	ns.Run(t, "ip", "addr", "flush", "dev", "wlan")
	ns.Run(t, "ip", "addr", "add", address+"/24", "dev", "wlan")
	return start(t, ns, name+".log", "wpa_supplicant", "-Dnl80211", "-iwlan", "-c"+name+".conf")
}

// joins has it join, and wants it to be in.
func (f *flat) joins(t *testing.T, client, mhz int, address string, network ...string) *running {
	t.Helper()
	s := f.join(t, client, mhz, address, network...)
	s.says(t, "CTRL-EVENT-CONNECTED")
	return s
}

// says waits until a program has said something.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if said := r.said(); !strings.Contains(said, text) {
			return fmt.Errorf("no %s:\n%s", text, said)
		}
		return nil
	})
}

// apart wants a host not to answer another, after both were heard elsewhere.
func apart(t *testing.T, from *nstest.NS, to string) {
	t.Helper()
	if out, err := from.Try(t, "ping", "-c", "3", "-i", "0.3", "-W", "1", to); err == nil {
		t.Errorf("%s answers: %s", to, out)
	}
}

// wrong are the checks of blocks that do not pass, each after its line of the spec. There is no systemd here.
func (f *flat) wrong(t *testing.T, blocks ...string) []string {
	t.Helper()
	spec, err := os.ReadFile(f.spec + "/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(spec), "\n")
	args := []string{"verify", "-format", "json"}
	for _, b := range append(blocks, "wifi.near") {
		args = append(args, "-only", b)
	}
	out, err := f.router.Try(t, "/bin/nbr", append(args, f.spec)...)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil || len(report.Results) < 15 {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var got []string
	for _, r := range report.Results {
		if r.Status != "pass" && r.ID != "wifi.near/unit" {
			got = append(got, fmt.Sprintf("%s | %s %s: %s", strings.TrimSpace(lines[r.Range.Line-1]), r.ID, r.Status, r.Got))
		}
	}
	slices.Sort(got)
	return got
}

const (
	sae   = "ssid=\"Home\"\nkey_mgmt=SAE\nieee80211w=2\nsae_password="
	guest = "ssid=\"Guests\"\nkey_mgmt=OWE\nieee80211w=2"
)

// TestGuestWiFi has clients join the access points of a spec over radios of the kernel. Each is in its
// network and in no other, a wrong password gets nothing in, and isolated guests do not reach each other,
// on one radio or on two. nbr verify finds what is wrong, on its line.
func TestGuestWiFi(t *testing.T) {
	f := newFlat(t, "/wifi")
	f.serve(t, func(s string) string { return s })
	isolation := start(t, f.router, "/run/isolation.log", "bash", "/wifi/isolation")
	t.Cleanup(isolation.stop)
	becomes(t, func() []string { return f.wrong(t, "wifi.far") }, nil)

	// A right password, on both radios, and wrong ones.
	home := f.joins(t, 0, 2437, "192.168.1.50", sae+`"correct horse battery"`)
	pings(t, f.clients[0], "192.168.1.1")
	pings(t, f.clients[0], "192.168.1.9")
	home.stop()
	home = f.joins(t, 0, 5180, "192.168.1.50", sae+`"correct horse battery"`)
	pings(t, f.clients[0], "192.168.1.9")
	intruder := f.join(t, 1, 2437, "192.168.1.51", sae+`"correct horse batterie"`)
	nstest.Wait(t, func() error { // the first time was in vain
		if said := intruder.said(); strings.Count(said, "Trying to authenticate") < 2 {
			return errors.New(said)
		}
		return nil
	})
	apart(t, f.clients[1], "192.168.1.1")
	if strings.Contains(intruder.said(), "CTRL-EVENT-CONNECTED") {
		t.Error(intruder.said())
	}
	intruder.stop()
	psk := "ssid=\"Old \"things\" $HOME\"\nkey_mgmt=WPA-PSK\npsk="
	intruder = f.join(t, 1, 2437, "192.168.1.51", psk+`"correct horse battery"`)
	intruder.says(t, "WRONG_KEY")
	apart(t, f.clients[1], "192.168.1.1")
	intruder.stop()
	old := f.joins(t, 1, 2437, "192.168.1.51", psk+`"pass "word" $HOME"`)
	pings(t, f.clients[1], "192.168.1.50") // clients that are not isolated reach each other
	old.stop()
	for _, key := range []string{"key_mgmt=WPA-PSK", "key_mgmt=SAE\nieee80211w=2"} {
		both := f.joins(t, 1, 5180, "192.168.1.51", "ssid=\"Both\"\n"+key+"\npsk=\"pass \"word\" $HOME\"")
		pings(t, f.clients[1], "192.168.1.9")
		both.stop()
	}

	// Guests are in a network of their own, and not in each other's reach.
	first := f.joins(t, 1, 2437, "192.168.2.51", guest)
	second := f.joins(t, 2, 2437, "192.168.2.52", guest)
	pings(t, f.clients[1], "192.168.2.1")
	pings(t, f.clients[2], "192.168.2.1")
	apart(t, f.clients[1], "192.168.2.52")
	second.stop()
	second = f.joins(t, 2, 5180, "192.168.2.52", guest)
	pings(t, f.clients[2], "192.168.2.1")
	apart(t, f.clients[1], "192.168.2.52")
	ip(t, f.clients[1], "addr add 192.168.1.60/24 dev wlan\n") // who has an address of the other network is not in it
	apart(t, f.clients[1], "192.168.1.9")
	apart(t, f.clients[1], "192.168.1.50")
	ip(t, f.clients[1], "addr del 192.168.1.60/24 dev wlan\n")

	// What nbr verify finds. Without its unit two radios are one network for guests.
	isolation.stop()
	f.router.Run(t, "bridge", "link", "set", "dev", "radio2-2", "isolated", "off")
	pings(t, f.clients[1], "192.168.2.52")
	becomes(t, func() []string { return f.wrong(t, "wifi.far") }, []string{"isolate  = true | wifi.near/radio2-2/isolated fail: off"})
	isolation = start(t, f.router, "/run/isolation.log", "bash", "/wifi/isolation")
	t.Cleanup(isolation.stop)
	becomes(t, func() []string { return f.wrong(t, "wifi.far") }, nil)
	apart(t, f.clients[1], "192.168.2.52")

	// A bridge that is made anew gets its ports back, apart.
	t.Run("bridge made anew", func(t *testing.T) {
		ip(t, f.router, `link del guests
link add guests type bridge
link set guests up
addr add 192.168.2.1/24 dev guests
`)
		becomes(t, func() []string { return f.wrong(t, "wifi.far") }, nil)
		pings(t, f.clients[1], "192.168.2.1")
		pings(t, f.clients[2], "192.168.2.1")
		apart(t, f.clients[1], "192.168.2.52")
	})
	t.Run("password", func(t *testing.T) {
		if err := os.WriteFile("/var/lib/secrets/wifi_old", []byte("another one\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		becomes(t, func() []string { return f.wrong(t, "wifi.far") }, []string{
			"password = secret.old | wifi.far/radio5-1/password fail: another one", "password = secret.old | wifi.near/radio2-1/password fail: another one",
		})
		if err := os.WriteFile("/var/lib/secrets/wifi_old", []byte(wifiPasswords["/var/lib/secrets/wifi_old"]), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("bridge", func(t *testing.T) {
		f.router.Run(t, "ip", "link", "set", "radio5", "master", "guests")
		becomes(t, func() []string { return f.wrong(t, "wifi.far") }, []string{"network  = network.lan | wifi.far/radio5/bridge fail: guests"})
		f.router.Run(t, "ip", "link", "set", "radio5", "master", "home")
	})
	t.Run("channel", func(t *testing.T) {
		f.router.Run(t, "hostapd_cli", "-p", "/run/hostapd", "-i", "radio2", "chan_switch", "5", "2462", "center_freq1=2462", "bandwidth=20", "ht", "he")
		becomes(t, func() []string { return f.wrong(t, "wifi.far") }, []string{"channel = 6 | wifi.near/channel fail: 11"})
	})

	// A hostapd with another configuration, and none.
	first.stop()
	second.stop()
	home.stop()
	f.hostapd.stop()
	f.serve(t, func(s string) string {
		for _, change := range [][2]string{
			{"ssid=Both\n", "ssid=Boths\n"},
			{"wpa_key_mgmt=SAE\n", "wpa_key_mgmt=WPA-PSK\nwpa_passphrase=12345678\n"},
			{"country_code=DE", "country_code=US"},
			{"ieee80211ax=1", "ieee80211ax=0"},
			{"he_oper_chwidth=1\n", ""},
			{"vht_oper_chwidth=1\n", "vht_oper_chwidth=0\n"},
			{"vht_oper_centr_freq_seg0_idx=42\n", ""},
		} {
			s = strings.ReplaceAll(s, change[0], change[1])
		}
		return s
	})
	becomes(t, func() []string { return f.wrong(t, "wifi.far") }, []string{
		"country = \"DE\" | wifi.far/country fail: US", "country = \"DE\" | wifi.near/country fail: US",
		"password = secret.home | wifi.far/radio5/password fail: another one", "password = secret.home | wifi.near/radio2/password fail: another one",
		"ssid \"Both\" { | wifi.far/radio5-1/air fail: Boths",
		"ssid \"Home\" { | wifi.far/radio5/security fail: WPA-PSK with CCMP", "ssid \"Home\" { | wifi.near/radio2/security fail: WPA-PSK with CCMP",
		"width   = \"80MHz\" | wifi.far/width fail: 40 MHz",
		"wifi \"far\" { | wifi.far/standard fail: 802.11ac", "wifi \"near\" { | wifi.near/standard fail: 802.11n",
	})
	_ = f.hostapd.Process.Kill()
	_ = f.hostapd.Wait()
	nstest.Wait(t, func() error {
		got := f.wrong(t, "wifi.far")
		if !slices.Contains(got, "radio   = port.radio2 | wifi.near/radio fail: hostapd is not on it") {
			return errors.New(strings.Join(got, "\n"))
		}
		return nil
	})
}
