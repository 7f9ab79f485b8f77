package agenttest

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// length is how long the storm lasts: NBR_STORM=10m is for a look by hand.
func length(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("NBR_STORM")
	if s == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// storm adds and removes links as fast as a process can.
const storm = `while :; do ip link add v0 type veth peer name v1; ip link set v0 up; ip link del v0; done`

var verdictRE = regexp.MustCompile(`^level=\w+ msg=verdict check=(\S+) was=(\w+) is=(\w+) `)

func TestStorm(t *testing.T) {
	ns := nstest.New(t, "router")
	bridge(t, ns)
	dir := t.TempDir()
	r := start(t, ns, nil, "-interval", "1h", "-listen", "unix:"+dir+"/s.sock")
	r.socket = dir + "/s.sock"
	r.says("verified for the first time", 1)
	// The first looks grow what the next ones use again.
	ns.Run(t, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	r.says("check=interfaces/foreign/links was=pass is=fail", 1)
	ns.Run(t, "ip", "link", "del", "v0")
	r.says("check=interfaces/foreign/links was=fail is=pass", 1)
	goroutines, resident, heap := r.metric("go_goroutines"), r.resident(), r.metric("go_memstats_heap_alloc_bytes")

	gusts := ns.Command(t, "sh", "-c", storm)
	if err := gusts.Start(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	flips, most := 0, 0
	for time.Since(begin) < length(t) {
		for _, flip := range []struct{ change, says string }{
			{"del", "check=network.lan/ipv4 was=pass is=fail"},
			{"add", "check=network.lan/ipv4 was=fail is=pass"},
		} {
			ns.Run(t, "ip", "addr", flip.change, "192.0.2.1/24", "dev", "br-lan")
			r.says(flip.says, flips+1)
			most = max(most, r.resident())
		}
		flips++
	}
	took := time.Since(begin)
	looks := r.metric(`nbr_looks_total{trigger="event"}`)
	_ = gusts.Cancel()
	_ = gusts.Wait()

	t.Logf("%s: %d times away and back, %.0f looks for events; VmRSS %d kB before, %d kB at most; goroutines %.0f before, %.0f after",
		took.Round(time.Second), flips, looks, resident, most, goroutines, r.metric("go_goroutines"))
	// A look for an event is 5 s after the one before at least.
	if bound := took.Seconds()/5 + 3; looks > bound || looks < 1 {
		t.Errorf("%.0f looks for events in %s", looks, took)
	}
	// How far the memory of a process gets ahead of its garbage collector is up to the
	// scheduler. What is kept is what a collection leaves.
	r.until(func() error {
		if now := r.metric("go_memstats_heap_alloc_bytes"); now > heap+1<<20 {
			return fmt.Errorf("%.0f bytes are kept, and %.0f before the storm", now, heap)
		}
		if n := r.metric("go_goroutines"); n > goroutines+2 {
			return fmt.Errorf("%.0f goroutines, and %.0f before the storm", n, goroutines)
		}
		return nil
	})

	// Whatever else the storm made true and false: each line goes on where the one
	// before of its check ended, and the counter has seen as many.
	is := map[string]string{}
	changes := 0
	for _, l := range r.log() {
		m := verdictRE.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		changes++
		if before, ok := is[m[1]]; ok && before != m[2] || m[2] == m[3] {
			t.Errorf("%s was %s before: %s", m[1], before, l)
		}
		is[m[1]] = m[3]
	}
	away := len(r.says("check=network.lan/ipv4 was=pass is=fail", 0))
	back := len(r.says("check=network.lan/ipv4 was=fail is=pass", 0))
	if away != flips || back != flips {
		t.Errorf("the address went %d times and came %d times, the log has %d and %d", flips, flips, away, back)
	}
	if n := r.metric("nbr_verdict_changes_total"); int(n) != changes {
		t.Errorf("%.0f changes are counted, %d are in the log", n, changes)
	}
	r.stop()
}
