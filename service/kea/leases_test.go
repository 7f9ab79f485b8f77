package kea

import (
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// leaseFiles is a host that has files, and nothing else.
type leaseFiles struct {
	probe.Host
	files map[string]string
}

func (f leaseFiles) ReadFile(name string) ([]byte, error) {
	text, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

const (
	head4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
	head6 = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
)

// Leases are those of all of Kea's files, of each the last word.
func TestLeasesOfFiles(t *testing.T) {
	row := func(prefix, valid, expire, kind, length, state string) string {
		return strings.Join([]string{prefix, "00:01", valid, expire, "7", "20", kind, "1", length, "0", "0", "", "", state, "", "1", "2", "0"}, ",") + "\n"
	}
	const name = "/var/lib/kea/dhcp6.leases"
	h := leaseFiles{files: map[string]string{
		name + ".2": head6 + row("fd00:8000::", "40", "100", "2", "56", "0") + row("fd00:8000:100::", "40", "100", "2", "56", "0"),
		name + ".1": "",
		name:        head6 + row("fd00:1::1", "40", "100", "0", "128", "0") + row("fd00:8000::", "40", "200", "2", "56", "0") + row("fd00:8000:100::", "0", "100", "2", "56", "0") + row("fd00:8000:200::", "40", "300", "2", "56", "2") + "fd00:8000:3",
	}}
	got, err := readLeases(t.Context(), h, struct{}{})
	if d := cmp.Diff([]lease6{{"fd00:8000::/56", 7, 200}}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	h.files[name] = "address,duid\nfd00::,00\n"
	if _, err := readLeases(t.Context(), h, struct{}{}); err == nil {
		t.Error("a file of other columns is taken")
	}
	delete(h.files, name)
	if _, err := readLeases(t.Context(), h, struct{}{}); err == nil {
		t.Error("leases are read where Kea has never run")
	}
}

// A lease of each version of IP is of one host by its DUID, or by a MAC address without a DUID.
func TestSameHost(t *testing.T) {
	const mac, duid = "00:11:22:33:44:55", "00:01:00:01:2a:00:00:01:00:11:22:33:44:55"
	row4 := func(address, mac, id string) string {
		return strings.Join([]string{address, mac, id, "40", "100", "7", "0", "0", "laptop", "0", "", "0"}, ",") + "\n"
	}
	row6 := func(address, duid, mac string) string {
		return strings.Join([]string{address, duid, "40", "100", "7", "20", "0", "1", "128", "0", "0", "Laptop.example", mac, "0", "", "1", "2", "0"}, ",") + "\n"
	}
	h := leaseFiles{files: map[string]string{
		"/var/lib/kea/dhcp4.leases": head4 + row4("duid", mac, "ff:00:00:00:01:"+duid) + row4("mac", mac, "01:"+mac) + row4("none", mac, "") +
			row4("other-id", mac, "00:6c:61:70") + row4("other-duid", mac, "ff:00:00:00:01:00:02:00:00:00:09:01") + row4("other-mac", "00:11:22:33:44:66", ""),
		"/var/lib/kea/dhcp6.leases": head6 + row6("fd00::1", duid, mac) + row6("fd00::2", duid, "") + row6("fd00::3", "00:04:01", mac),
	}}
	four, err4 := readHosts(h, "A")
	six, err6 := readHosts(h, "AAAA")
	if err4 != nil || err6 != nil {
		t.Fatal(err4, err6)
	}
	got := map[string][]string{}
	for a, l := range four {
		got[a] = nil
		for _, b := range []string{"fd00::1", "fd00::2", "fd00::3"} {
			if one, other := l.same(six[b]), six[b].same(l); one != other {
				t.Errorf("%s and %s are the same host one way only", a, b)
			} else if one {
				got[a] = append(got[a], b)
			}
		}
	}
	want := map[string][]string{
		"duid": {"fd00::1", "fd00::2"}, "mac": {"fd00::1", "fd00::3"}, "none": {"fd00::1", "fd00::3"},
		"other-id": nil, "other-duid": nil, "other-mac": nil,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for l := range maps.Values(six) {
		if l.label != "laptop" || l.until != 100 || l.subnet != 7 {
			t.Errorf("%+v", l)
		}
	}
}
