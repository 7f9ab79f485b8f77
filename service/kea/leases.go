package kea

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
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

// leaseFiles are where Kea's memfile keeps leases, in the order in which it reads them: the last
// of several lines of one lease counts (Kea's manual, section lease file cleanup). The last file
// is there since Kea first started; the others come and go.
var leaseFiles = []string{"/var/lib/kea/dhcp6.leases.completed", "/var/lib/kea/dhcp6.leases.2", "/var/lib/kea/dhcp6.leases.1", "/var/lib/kea/dhcp6.leases"}

func readLeases(_ context.Context, h probe.Host, _ struct{}) ([]lease6, error) {
	last := map[string]lease6{}
	for i, name := range leaseFiles {
		b, err := h.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) && i < len(leaseFiles)-1 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := addLeases(last, string(b)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
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

// addLeases reads a file. Its first line names the columns. A lease that was given back has no
// time, or another state than that of one in force. A last line may be half written.
func addLeases(last map[string]lease6, text string) error {
	head, rows, _ := strings.Cut(text, "\n")
	column := map[string]int{}
	for i, name := range strings.Split(head, ",") {
		column[name] = i
	}
	for _, name := range []string{"address", "valid_lifetime", "expire", "subnet_id", "lease_type", "prefix_len", "state"} {
		if _, ok := column[name]; !ok && text != "" {
			return fmt.Errorf("no column %q", name)
		}
	}
	for row := range strings.Lines(rows) {
		f := strings.Split(strings.TrimSuffix(row, "\n"), ",")
		if len(f) < len(column) || f[column["lease_type"]] != "2" { // Lease::TYPE_PD
			continue
		}
		number := func(name string) int64 {
			n, _ := strconv.ParseInt(f[column[name]], 10, 64)
			return n
		}
		addr, err := netip.ParseAddr(f[column["address"]])
		if err != nil {
			continue
		}
		l := lease6{Prefix: netip.PrefixFrom(addr, int(number("prefix_len"))).String(), Subnet: uint32(number("subnet_id"))}
		if number("valid_lifetime") > 0 && number("state") == 0 {
			l.Until = number("expire")
		}
		last[l.Prefix] = l
	}
	return nil
}
