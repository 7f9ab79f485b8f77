// Package system looks at what runs on a machine besides its services: the kernel and its
// modules, sysctls, the system of NixOS, accounts, files, the clock.
package system

import (
	"errors"
	"os"
	"strings"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Generations are the systems of NixOS that were booted and are in use, and the machine's
// name. The name is there also with an error: only NixOS has the others.
func Generations(r root.Root) (*state.System, error) {
	host, err := r.Line("/proc/sys/kernel/hostname")
	if err != nil {
		return nil, err
	}
	booted, err1 := os.Readlink(r.Path("/run/booted-system"))
	current, err2 := os.Readlink(r.Path("/run/current-system"))
	s := &state.System{Hostname: host, Booted: booted, Current: current}
	if err := errors.Join(err1, err2); err != nil {
		return s, err
	}
	s.BootedKernel, err1 = os.Readlink(r.Path(booted + "/kernel"))
	s.CurrentKernel, err2 = os.Readlink(r.Path(current + "/kernel"))
	return s, errors.Join(err1, err2)
}

// NameServers are those that the router itself asks. It reads resolv.conf(5) as libc does. Without the file it asks the machine
// itself, which is the same as a file that names no server.
func NameServers(r root.Root) ([]string, error) {
	text, err := r.Read("/etc/resolv.conf")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	out := []string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" {
			out = append(out, f[1])
		}
	}
	return out, nil
}
