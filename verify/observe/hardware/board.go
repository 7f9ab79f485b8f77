// Package hardware looks at what a machine is made of, and at what it starts with.
package hardware

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Board is what the machine is made of. It fills in what it can: a PC has no device tree, but memory.
func Board(r root.Root) (*state.Board, error) {
	b := &state.Board{Compatible: []string{}}
	text, err1 := r.Read("/proc/device-tree/compatible")
	if err1 == nil {
		b.Compatible, err1 = parseCompatible(text)
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
