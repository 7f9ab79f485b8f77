// Package hardware looks at what a machine is made of, and at what it starts with.
package hardware

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Board is what the machine is made of. It fills in what it can. A PC has no device tree; its
// firmware says what it is.
func Board(r root.Root) (*state.Board, error) {
	b := &state.Board{Compatible: []string{}}
	text, err1 := r.Read("/proc/device-tree/compatible")
	if err1 == nil {
		b.Compatible, err1 = parseCompatible(text)
	}
	b.DMI = dmi(r)
	if b.DMI != nil && errors.Is(err1, fs.ErrNotExist) {
		err1 = nil
	}
	if bits, err := r.Line("/sys/firmware/efi/fw_platform_size"); err == nil {
		b.EFI, _ = strconv.Atoi(bits) // the kernel's own number (drivers/firmware/efi/efi.c)
	}
	text, err2 := r.Read("/proc/meminfo")
	if err2 == nil {
		b.MemTotal, err2 = parseMemTotal(text)
	}
	if err1 != nil && err2 != nil {
		b = nil
	}
	return b, errors.Join(err1, err2)
}

// dmi is what drivers/firmware/dmi-id.c tells everyone, or nil where there is no such firmware.
func dmi(r root.Root) *state.DMI {
	vendor, err1 := r.Line("/sys/class/dmi/id/sys_vendor")
	product, err2 := r.Line("/sys/class/dmi/id/product_name")
	if err1 != nil && err2 != nil {
		return nil
	}
	return &state.DMI{Vendor: strings.TrimSpace(vendor), Product: strings.TrimSpace(product)}
}

// parseCompatible reads /proc/device-tree/compatible: names from the most to the
// least specific, each ended by a NUL (Devicetree Specification 2.3.1).
func parseCompatible(b []byte) ([]string, error) {
	body, ok := bytes.CutSuffix(b, []byte{0})
	if !ok {
		return nil, errors.New("compatible: does not end in a NUL")
	}
	names := strings.Split(string(body), "\x00")
	for _, n := range names {
		if n == "" || strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, fmt.Errorf("compatible: %q is no name", n)
		}
	}
	return names, nil
}

// parseMemTotal finds the kilobytes of MemTotal in /proc/meminfo (proc_meminfo(5)).
func parseMemTotal(b []byte) (uint64, error) {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			return strconv.ParseUint(f[1], 10, 64)
		}
	}
	return 0, errors.New("meminfo: no MemTotal")
}
