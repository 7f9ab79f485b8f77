//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// An enterprise is a flat where RADIUS servers say who gets in: one on the router, and one on the host.
type enterprise struct {
	*flat
	own, other *running
}

// radius starts FreeRADIUS as its unit does, with what is in a folder of its own.
func radius(t *testing.T, at *nstest.NS, name string) *running {
	t.Helper()
	// Both are on one file system here.
	elsewhere := strings.NewReplacer("/run/freeradius", "/run/"+name, "/var/lib/nbr-radius", "/var/lib/"+name)
	if name == "own" {
		elsewhere = strings.NewReplacer()
	}
	dir := "/radius/" + name + ".d"
	for _, file := range []string{"stage", "radiusd.conf"} {
		b, err := os.ReadFile(dir + "/" + file)
		if err == nil {
			err = os.WriteFile(dir+"/"+file, []byte(elsewhere.Replace(string(b))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(elsewhere.Replace("/run/freeradius"), 0o700); err != nil {
		t.Fatal(err)
	}
	at.Run(t, "bash", dir+"/stage")
	r := start(t, at, "/run/"+name+".log", "freeradius", "-f", "-d", dir, "-l", "stdout")
	r.says(t, "Ready to process requests")
	return r
}

func newEnterprise(t *testing.T) *enterprise {
	t.Helper()
	for file, text := range map[string]string{
		"/var/lib/nbr-radius/own": ownServer, "/radius/office": officeServer + "\n", "/radius/gate": officeServer, "/radius/anna": "anna's password", "/radius/bob": "bob's password",
	} {
		if err := errors.Join(os.MkdirAll("/var/lib/nbr-radius", 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	o := &enterprise{flat: newFlat(t, "/enterprise")}
	ip(t, o.router, "addr add fd00:1::1/64 dev home nodad\n")
	ip(t, o.host, "addr add fd00:1::9/64 dev eth0 nodad\n")
	o.own, o.other = radius(t, o.router, "own"), radius(t, o.host, "office")
	t.Cleanup(o.own.stop)
	t.Cleanup(o.other.stop)
	return o
}

// user is what a device has of a network, with the authority that it trusts.
func user(ssid, keys, ca, name, how string) []string {
	return []string{
		fmt.Sprintf("ssid=%q", ssid), "key_mgmt=" + keys, fmt.Sprintf("ca_cert=%q", ca), fmt.Sprintf("domain_match=%q", name), how,
	}
}

// TestGuestEnterpriseWiFi has people and devices join networks by a password or a certificate of their own, of which
// RADIUS servers know. A wrong password gets nothing in, a device refuses a server that it does not trust, and
// who is in one server's network is not in the other's. nbr verify finds what is wrong, on its line.
func TestGuestEnterpriseWiFi(t *testing.T) {
	o := newEnterprise(t)
	o.serve(t, func(s string) string { return s })
	wrong := func() []string { return o.wrong(t, "radius_server.office") }
	fresh := []string{ // neither server was asked
		"radius   = radius | wifi.near/radio2/radius/answers skip: no client has come yet",
		"radius   = radius_server.office | wifi.near/radio2-1/radius/answers skip: no client has come yet",
	}
	becomes(t, wrong, fresh)

	const ca, other = "/radius/ca.pem", "/radius/other.pem"
	new, old := "WPA-EAP-SHA256\nieee80211w=2", "WPA-EAP\nieee80211w=0"
	anna := peap("anna", "anna's password")
	s := o.joins(t, 0, 2437, "192.168.1.50", user("Work", new, ca, "radius.example.org", anna)...)
	pings(t, o.clients[0], "192.168.1.9")
	// Who comes again is asked for again: by the key of the last time no client gets in.
	station := strings.TrimSpace(o.router.Run(t, "hostapd_cli", "-p", "/run/hostapd", "-i", "radio2", "list_sta"))
	o.router.Run(t, "hostapd_cli", "-p", "/run/hostapd", "-i", "radio2", "deauthenticate", station)
	nstest.Wait(t, func() error {
		if said := s.said(); strings.Count(said, "CTRL-EVENT-CONNECTED") < 2 {
			return errors.New(said)
		}
		return nil
	})
	if said := s.said(); strings.Count(said, "CTRL-EVENT-EAP-SUCCESS") != 2 {
		t.Errorf("in again without the server: %s", said)
	}
	laptop := strings.NewReplacer("/devices/", "/radius/").Replace(byCertificate("laptop"))
	u := o.joins(t, 1, 2437, "192.168.1.51", user("Work", new, ca, "radius.example.org", laptop)...)
	pings(t, o.clients[1], "192.168.1.9")
	pings(t, o.clients[1], "192.168.1.50")
	u.stop()
	bob := peap("bob", "bob's password")
	for _, keys := range []string{new, old} {
		u = o.joins(t, 1, 2437, "192.168.1.51", user("Office", keys, ca, "office.example.org", bob)...)
		pings(t, o.clients[1], "192.168.1.9")
		u.stop()
	}

	// Reason 23 is that IEEE 802.1X failed. A device that refuses the server's certificate sends no password: there is no
	// tunnel for it.
	for _, c := range []struct {
		name, says string
		network    []string
	}{
		{"a wrong password", "CTRL-EVENT-EAP-FAILURE", user("Work", new, ca, "radius.example.org", peap("anna", "bob's password"))},
		{"a user of the other server", "CTRL-EVENT-EAP-FAILURE", user("Work", new, ca, "radius.example.org", bob)},
		{"a user of the own server at the other", "CTRL-EVENT-EAP-FAILURE", user("Office", new, ca, "office.example.org", anna)},
		{"a certificate of no user", "reason=23", user("Work", new, ca, "radius.example.org", strings.ReplaceAll(laptop, "laptop", "stranger"))},
		{"a server of another authority", "CTRL-EVENT-EAP-TLS-CERT-ERROR", user("Work", new, other, "radius.example.org", anna)},
		{"a server with another name", "CTRL-EVENT-EAP-TLS-CERT-ERROR", user("Work", new, ca, "office.example.org", anna)},
	} {
		u := o.join(t, 1, 2437, "192.168.1.51", c.network...)
		u.says(t, c.says)
		apart(t, o.clients[1], "192.168.1.1")
		if said := u.said(); strings.Contains(said, "CTRL-EVENT-CONNECTED") {
			t.Errorf("%s gets in: %s", c.name, said)
		}
		u.stop()
	}
	// Without protected management frames, or without SHA-256, the new network is closed.
	u = o.join(t, 1, 2437, "192.168.1.51", user("Work", old, ca, "radius.example.org", anna)...)
	apart(t, o.clients[1], "192.168.1.1")
	if said := u.said(); strings.Contains(said, "CTRL-EVENT-CONNECTED") {
		t.Error(said)
	}
	u.stop()
	pings(t, o.clients[0], "192.168.1.9")
	for _, said := range []string{o.own.said(), o.other.said(), o.hostapd.said()} {
		for _, secret := range []string{ownServer, officeServer, "s password"} {
			if strings.Contains(said, secret) {
				t.Errorf("%q is told: %s", secret, said)
			}
		}
	}

	// What nbr verify finds.
	s.stop()
	becomes(t, wrong, nil)
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("/var/lib/nbr-radius/own", ownServer+"0")
	write("/radius/office", officeServer+"0")
	becomes(t, wrong, []string{
		"radius   = radius | wifi.near/radio2/radius/secret fail: another one",
		"radius   = radius_server.office | wifi.near/radio2-1/radius/secret fail: another one",
	})
	write("/var/lib/nbr-radius/own", ownServer)
	write("/radius/office", officeServer)
	becomes(t, wrong, nil)
	o.hostapd.stop()
	o.serve(t, func(s string) string {
		for _, change := range [][2]string{
			{"auth_server_addr=127.0.0.1", "auth_server_addr=192.168.1.9"},
			{"auth_server_port=1812\n", "auth_server_port=1813\n"},
			{"wpa_key_mgmt=WPA-EAP-SHA256", "wpa_key_mgmt=WPA-EAP WPA-EAP-SHA256"},
		} {
			s = strings.Replace(s, change[0], change[1], 1)
		}
		return s
	})
	becomes(t, wrong, []string{
		fresh[0],
		"radius   = radius | wifi.near/radio2/radius fail: 192.168.1.9:1813",
		fresh[1],
		"security = \"wpa3-enterprise\" | wifi.near/radio2/security fail: WPA-EAP, WPA-EAP-SHA256 with CCMP",
	})

	// One server is gone, and the other one has another secret, which makes it silent.
	o.hostapd.stop()
	o.other.stop()
	o.serve(t, func(s string) string {
		return strings.Replace(s, "auth_server_shared_secret="+ownServer, "auth_server_shared_secret="+ownServer+"0", 1)
	})
	s = o.join(t, 0, 2437, "192.168.1.50", user("Work", new, ca, "radius.example.org", anna)...)
	u = o.join(t, 1, 2437, "192.168.1.51", user("Office", new, ca, "office.example.org", bob)...)
	becomes(t, wrong, []string{
		"radius   = radius | wifi.near/radio2/radius/answers fail: none",
		"radius   = radius | wifi.near/radio2/radius/secret fail: another one",
		"radius   = radius_server.office | wifi.near/radio2-1/radius/answers fail: none",
	})
	for _, client := range []*running{s, u} {
		if said := client.said(); strings.Contains(said, "CTRL-EVENT-CONNECTED") {
			t.Error(said)
		}
		client.stop()
	}
}
