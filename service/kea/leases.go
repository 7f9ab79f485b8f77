package kea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A lease6 is a prefix that Kea has leased to a router.
type lease6 struct {
	Prefix string `json:"prefix"`
	Subnet uint32 `json:"subnet"`
	Until  int64  `json:"until"` // Unix time
}

// delegated asks which prefixes are leased, by Kea's own files.
var delegated = &probe.Probe[struct{}, []lease6]{Name: "kea.delegated", Look: readLeases}

// readMemfile calls row for each line of the files in which Kea's memfile keeps leases, in the
// order in which it reads them: the last of several lines of one lease counts (Kea's manual,
// section lease file cleanup). The last file is there since Kea first started; the others come and
// go. The first line of each names the columns, of which wanted must be there; a last line may be
// half written.
func readMemfile(h probe.Host, name string, wanted []string, row func(get func(column string) string)) error {
	for _, suffix := range []string{".completed", ".2", ".1", ""} {
		b, err := h.ReadFile(name + suffix)
		if errors.Is(err, fs.ErrNotExist) && suffix != "" {
			continue
		}
		if err != nil {
			return err
		}
		head, rows, _ := strings.Cut(string(b), "\n")
		column := map[string]int{}
		for i, name := range strings.Split(head, ",") {
			column[name] = i
		}
		for _, c := range wanted {
			if _, ok := column[c]; !ok && len(b) > 0 {
				return fmt.Errorf("%s: no column %q", name+suffix, c)
			}
		}
		for line := range strings.Lines(rows) {
			if f := strings.Split(strings.TrimSuffix(line, "\n"), ","); len(f) >= len(column) {
				row(func(c string) string { return f[column[c]] })
			}
		}
	}
	return nil
}

// inForce is when the lease of a line ends, Unix time; 0 of one that was given back, which has no
// time, or another state than that of one in force.
func inForce(get func(string) string) int64 {
	if number(get("valid_lifetime")) == 0 || get("state") != "0" {
		return 0
	}
	return number(get("expire"))
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func readLeases(_ context.Context, h probe.Host, _ struct{}) ([]lease6, error) {
	last := map[string]lease6{}
	err := readMemfile(h, "/var/lib/kea/dhcp6.leases", []string{"address", "valid_lifetime", "expire", "subnet_id", "lease_type", "prefix_len", "state"}, func(get func(string) string) {
		addr, err := netip.ParseAddr(get("address"))
		if err != nil || get("lease_type") != "2" { // Lease::TYPE_PD
			return
		}
		l := lease6{Prefix: netip.PrefixFrom(addr, int(number(get("prefix_len")))).String(), Subnet: uint32(number(get("subnet_id"))), Until: inForce(get)}
		last[l.Prefix] = l
	})
	if err != nil {
		return nil, err
	}
	out := []lease6{}
	for _, l := range last {
		if l.Until > 0 {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b lease6) int { return strings.Compare(a.Prefix, b.Prefix) })
	return out, nil
}

// A leasedHost is who has a lease of an address.
type leasedHost struct {
	label  string // the name that it says, empty if no name can be made of that
	subnet uint32
	until  int64  // Unix time; 0 of a lease that has ended
	id     string // the DUID, in DHCPv4 as RFC 4361 has it, or else the client identifier, or the MAC address
	mac    string // empty if Kea does not know it
}

var hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// readHosts are the hosts of leases by their addresses, of which records are of a type; nil if
// that server has never run.
func readHosts(h probe.Host, rrtype string) (map[string]leasedHost, error) {
	name, wanted := "/var/lib/kea/dhcp6.leases", []string{"duid", "lease_type"}
	if rrtype == "A" {
		name, wanted = "/var/lib/kea/dhcp4.leases", []string{"client_id"}
	}
	wanted = append(wanted, "address", "hwaddr", "valid_lifetime", "expire", "subnet_id", "hostname", "state")
	last := map[string]leasedHost{}
	err := readMemfile(h, name, wanted, func(get func(string) string) {
		l := leasedHost{subnet: uint32(number(get("subnet_id"))), until: inForce(get), mac: get("hwaddr")}
		switch {
		case rrtype == "AAAA" && get("lease_type") != "0": // Lease::TYPE_NA
			return
		case rrtype == "AAAA":
			l.id = get("duid")
		default:
			l.id = hostOf(get("client_id"), l.mac)
		}
		label, _, _ := strings.Cut(strings.ToLower(get("hostname")), ".")
		if hostLabel.MatchString(label) && !slices.Contains(special, label) {
			l.label = label
		}
		last[get("address")] = l
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return last, err
}

// hostOf is by what a host is known in DHCPv4.
func hostOf(clientID, mac string) string {
	if duid := strings.TrimPrefix(clientID, "ff:"); duid != clientID && len(duid) > len("00:00:00:00:") {
		return duid[len("00:00:00:00:"):] // after the IAID (RFC 4361 section 6.1)
	}
	if clientID == "" || clientID == "01:"+mac { // RFC 2132 section 9.14
		return mac
	}
	return clientID
}

// same tells whether a lease of DHCPv4 and one of DHCPv6 are of one host: by its DUID, or by its
// MAC address where it says no other identifier in DHCPv4.
func (l leasedHost) same(o leasedHost) bool {
	return l.id == o.id || l.mac != "" && l.mac == o.mac && (l.id == l.mac || o.id == o.mac)
}
