package nftables

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// refilled runs the script that fills the sets beside programs that are scripts themselves.
func refilled(t *testing.T, run, translations string, programs map[string]string) {
	t.Helper()
	bin := t.TempDir()
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", fmt.Sprintf("protocol=206 run=%s translations='\n%s'\n%s", run, translations, prefixNATScript))
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "RUN="+run)
	if out, err := cmd.CombinedOutput(); err != nil && programs["ip"] != "exit 1" {
		t.Fatalf("%v: %s", err, out)
	}
}

const (
	leased = `case $* in
*" proto dhcp") echo "unreachable 2001:db8:8000::/56 dev lo metric 1024 pref medium" ;;
*" proto 206") echo "unreachable 2001:db8:8000::/56 dev lo metric 7 pref medium" ;;
esac`
	loads     = `cat >"$RUN/loaded"; readlink /proc/self/fd/0 >"$RUN/input"`
	conntrack = `echo "$*" >>"$RUN/forgotten"`
)

// written is what a program wrote into the folder; nothing if it did not run.
func written(run, name string) string {
	b, _ := os.ReadFile(filepath.Join(run, name))
	return string(b)
}

// A program that cannot read the routes, for memory or an interrupted dump, does not end a lease.
func TestPrefixesStayWhenTheRoutesCannotBeRead(t *testing.T) {
	t.Parallel()
	run := t.TempDir()
	fill := func(ip string) {
		t.Helper()
		refilled(t, run, "a 7 200 fd00::/64\n", map[string]string{"ip": ip, "nft": loads, "conntrack": conntrack})
	}
	const elements = "add element inet nbr a_out { fd00::/64 : 2001:db8:8000:c8::/64 }"
	fill(leased)
	if got := written(run, "loaded"); !strings.Contains(got, elements) {
		t.Fatalf("the firewall gets\n%s\nand not %s", got, elements)
	}
	fill("exit 1")
	if got := written(run, "loaded"); !strings.Contains(got, elements) {
		t.Errorf("without routes the firewall gets\n%s", got)
	}
	if got := written(run, "forgotten"); got != "" {
		t.Errorf("without routes conntrack forgets: %s", got)
	}
	fill("true")
	if got := written(run, "loaded"); strings.Contains(got, "add element") || !strings.Contains(got, "flush map inet nbr a_out") {
		t.Errorf("after the lease the firewall gets\n%s", got)
	}
	if got := written(run, "forgotten"); !strings.Contains(got, "-d 2001:db8:8000:c8::/64") {
		t.Errorf("after the lease conntrack is called for %q", got)
	}
}

// The unit may write to its own folder alone, and to none for temporary files.
func TestManyPrefixesNeedNoTemporaryFile(t *testing.T) {
	t.Parallel()
	run := t.TempDir()
	var many strings.Builder
	for i := range 250 {
		fmt.Fprintf(&many, "prefix_nat_of_a_network_%d 7 %d fd00:0:0:%x::/64\n", i, i, i)
	}
	refilled(t, run, many.String(), map[string]string{"ip": leased, "nft": loads, "conntrack": conntrack})
	if got := strings.Count(written(run, "loaded"), "_out {"); got != 250 {
		t.Errorf("the firewall gets %d prefixes, want 250", got)
	}
	if got := written(run, "input"); !strings.HasPrefix(got, "pipe:") {
		t.Errorf("they come by %s", got)
	}
}
