// Package lab lends tests the real programs that judge nbr's output: Nix, the router's daemons
// in a copy of their own file system, IfState, and kernels of Debian on machines that are
// emulated. `.ci/setup` installs them all into one folder. [Boot] starts the whole of that
// file system with systemd.
//
// Every entry fails the test when its part of the lab is missing, and says what to run: a
// referee that is not there must not look like one that agrees. Those that may be
// absent are IfState and Zigbee2MQTT, on a machine that cannot reach PyPI or the JavaScript
// registry and is not a CI: see [Absent].
//
// lab owns processes, mounts and temporary files. It knows nothing of nbr's language or
// types, and its callers nothing of where the programs are.
package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is where .ci/setup has put the lab.
func folder() string {
	if dir := os.Getenv("NBR_LAB"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "nbr-lab")
}

// part is the folder of one part of the lab. A test that needs an absent one is skipped only
// where no machine relies on it.
func part(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(folder(), name)
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("lab: %v: run .ci/setup", err)
	}
	if reason := absent(name); reason != "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("lab: %s is absent: %s", name, reason)
		}
		t.Skipf("lab: %s is absent: %s", name, reason)
	}
	return dir
}

// Absent names the referees that could not be installed, each with the reason. The run of the
// whole suite ends with this list.
func Absent() []string {
	var list []string
	for _, name := range []string{"dsa", "ifstate", "kernel-amd64", "kernel-arm64", "neovim", "nix", "promtool", "rootfs", "zigbee2mqtt"} {
		if reason := absent(name); reason != "" {
			list = append(list, name+": "+reason)
		}
	}
	return list
}

func absent(name string) string {
	note, err := os.ReadFile(filepath.Join(folder(), name, "absent"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(note))
}
