package referee_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// keaVerified is a router with a spec's Kea and nbr, and a client's cable.
func keaVerified(t *testing.T, name, addr string) (g *generated, root *lab.Root, router, client *nstest.NS) {
	t.Helper()
	b, err := os.ReadFile("../../testdata/good/" + name + "/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	g = generate(t, fstest.MapFS{"router.hcl": {Data: b}})
	router, clients := lan(t, "lan1 "+addr)
	root = keaRoot(t, g)
	root.Write(t, "/etc/nbr/spec/router.hcl", string(b))
	installNBR(t, root, "/usr/bin/nbr")
	return g, root, router, clients[0]
}

// Hosts of a class, and no others, get its pool and what it says; nbr verify finds it so, and
// says which class it is that has something else.
func TestClassesOfHosts(t *testing.T) {
	t.Parallel()
	g, root, router, client := keaVerified(t, "dhcp4-classes", "192.168.1.1/24")
	root.Run(t, router, "kea-dhcp4", "-T", keaConf)
	kea := startKea(t, root, router)

	plain := lease{Mask: "24", Router: "192.168.1.1", DNS: "192.168.1.53", Domain: "home.arpa", Lease: "43200", Server: "192.168.1.1", Next: "192.168.1.9", Boot: "undionly.kpxe"}
	phone, office := plain, plain
	phone.Router, phone.DNS = "192.168.1.254", "192.168.1.54"
	office.Domain, office.Next = "office.home.arpa", "192.168.1.7"
	phoneOffice := phone
	phoneOffice.Domain, phoneOffice.Next = office.Domain, office.Next
	ipxe, uefi := plain, plain
	ipxe.Boot, uefi.Boot = "http://192.168.1.9/menu.ipxe", "ipxe.efi"
	for _, c := range []struct {
		what, mac string
		args      []string
		pool      string // what its address begins with
		want      lease
	}{
		{"any", "02:00:00:00:00:01", nil, "192.168.1.1", plain},
		{"a phone", "02:00:00:00:00:02", []string{"-V", "snom720"}, "192.168.1.20", phone},
		{"another one", "02:00:00:00:00:03", []string{"-V", "Cisco Systems, Inc. IP Phone CP-7940G"}, "192.168.1.20", phone},
		{"one that says less", "02:00:00:00:00:04", []string{"-V", "sno"}, "192.168.1.1", plain},
		{"a maker", "00:04:13:00:00:01", nil, "192.168.1.1", office},
		{"a maker of 28 bits", "00:50:c2:0a:b1:01", nil, "192.168.1.1", office},
		{"a neighbour of it", "00:50:c2:0a:c1:01", nil, "192.168.1.1", plain},
		{"the printer", "02:11:22:33:44:66", nil, "192.168.1.1", office},
		{"the nas", "02:11:22:33:44:55", nil, "192.168.1.10", office},
		{"a maker's phone", "00:04:13:00:00:02", []string{"-V", "snom"}, "192.168.1.20", phoneOffice},
		{"at a port", "02:00:00:00:00:05", []string{"-x", "0x52:0108657468302f312773" + "020663656c6c6172"}, "192.168.1.24", plain},
		{"at a port by its number", "02:00:00:00:00:06", []string{"-x", "0x52:0104000400a1" + "020663656c6c6172"}, "192.168.1.24", plain},
		{"at a port of another switch", "02:00:00:00:00:07", []string{"-x", "0x52:0104000400a1" + "020663656c6c6173"}, "192.168.1.1", plain},
		{"UEFI", "02:00:00:00:00:08", []string{"-x", "0x5d:0007"}, "192.168.1.1", uefi},
		{"iPXE", "02:00:00:00:00:08", []string{"-x", "0x5d:0007", "-x", "0x4d:0469505845"}, "192.168.1.1", ipxe},
		{"iPXE as it is", "02:00:00:00:00:08", []string{"-x", "0x5d:0007", "-x", "0x4d:69505845"}, "192.168.1.1", ipxe},
	} {
		client.Run(t, "ip", "link", "set", "eth0", "address", c.mac)
		got, err := getLease(t, client, append([]string{"-C"}, c.args...)...)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if !strings.HasPrefix(got.IP, c.pool) {
			t.Errorf("%s gets %s", c.what, got.IP)
		}
		c.want.IP, c.want.Lease = got.IP, got.Lease
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
	if wrong := unmet(t, root, router, "dhcp4.lan"); len(wrong) > 0 {
		t.Fatalf("nbr verify:\n%s", strings.Join(wrong, "\n"))
	}
	kea.Stop(t)

	var good bytes.Buffer
	if err := json.Compact(&good, []byte(keaJSON(t, g))); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []struct {
		old, new string
		want     []string
	}{
		{`0, 4) == 'snom'`, `0, 4) == 'snon'`, []string{
			"dhcp4.lan/offer/class.phones/1/option-150 fail: none", "dhcp4.lan/offer/class.phones/1/option-3 fail: 192.168.1.1", "dhcp4.lan/offer/class.phones/1/option-42 fail: 192.168.1.9",
			"dhcp4.lan/offer/class.phones/1/option-43 fail: none", "dhcp4.lan/offer/class.phones/1/option-6 fail: 192.168.1.53", "dhcp4.lan/offer/class.phones/1/option-66 fail: none",
			"dhcp4.lan/class.phones/1 fail: 192.168.1.1",
		}},
		{`"client-classes":["dhcp4.lan/class.cellar"]`, `"client-classes":["dhcp4.lan/class.phones"]`, []string{"dhcp4.lan/class.cellar/1 fail: no offer", "dhcp4.lan/class.cellar/2 fail: no offer"}},
		{`"client-classes":["dhcp4.lan/others"],`, ``, []string{"dhcp4.lan/class.phones/1 fail: 192.168.1.1", "dhcp4.lan/class.phones/2 fail: 192.168.1.1", "dhcp4.lan/class.cellar/1 fail: 192.168.1.1", "dhcp4.lan/class.cellar/2 fail: 192.168.1.1"}},
		{`"0104c0a80108"`, `"0104c0a80109"`, []string{"dhcp4.lan/offer/class.phones/1/option-43 fail: 0104c0a80109", "dhcp4.lan/offer/class.phones/2/option-43 fail: 0104c0a80109"}},
		{`"http://192.168.1.9/menu.ipxe"`, `"loop"`, []string{"dhcp4.lan/offer/class.ipxe/1/boot-file fail: loop"}},
		{`"next-server":"192.168.1.7"`, `"next-server":"192.168.1.6"`, []string{
			"dhcp4.lan/offer/class.office/1/next-server fail: 192.168.1.6", "dhcp4.lan/offer/class.office/2/next-server fail: 192.168.1.6",
			"dhcp4.lan/offer/class.office/3/next-server fail: 192.168.1.6", "dhcp4.lan/offer/class.office/4/next-server fail: 192.168.1.6",
		}},
	} {
		text := strings.Replace(good.String(), broken.old, broken.new, 1)
		if text == good.String() {
			t.Fatalf("%s is not in\n%s", broken.old, text)
		}
		root.Write(t, keaConf, text)
		kea := startKea(t, root, router)
		got := unmet(t, root, router, "dhcp4.lan")
		slices.Sort(broken.want)
		if !slices.EqualFunc(got, broken.want, strings.HasPrefix) {
			t.Errorf("with %s in place of %s:\n%s\nwant\n%s", broken.new, broken.old, strings.Join(got, "\n"), strings.Join(broken.want, "\n"))
		}
		kea.Stop(t)
	}
}
