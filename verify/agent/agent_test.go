package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// A router is what the agent of a test looks at: the units that run there.
type router struct {
	at     []time.Duration // when it was looked at, since the start
	start  time.Time
	state  *state.State
	err    error
	bug    bool
	mu     sync.Mutex    // what a test sets before time passes is seen after it: see pass
	hangs  chan struct{} // until it is closed
	log    bytes.Buffer
	beats  int
	looked int
}

func newRouter() *router {
	return &router{start: time.Now(), state: &state.State{Units: map[string]state.Unit{
		"a.service": {Active: "active"}, "b.service": {Active: "active"},
	}}}
}

func (r *router) observe(context.Context) (*state.State, error) {
	r.mu.Lock()
	bug, hangs, st, err := r.bug, r.hangs, r.state, r.err
	r.at = append(r.at, time.Since(r.start))
	r.mu.Unlock()
	if bug {
		panic("index out of range")
	}
	if hangs != nil {
		<-hangs
	}
	return st, err
}

// set makes a unit active or not from the next look on.
func (r *router) set(unit, active string) {
	units := map[string]state.Unit{}
	for name, u := range r.state.Units {
		units[name] = u
	}
	units[unit] = state.Unit{Active: active}
	next := *r.state
	next.Units = units
	r.state = &next
}

func (r *router) spec(units ...string) Spec {
	p := &verify.Plan{}
	for i, u := range units {
		p.UnitActive("service."+u+"/unit", hcl.Range{Filename: "router.hcl", Start: hcl.Pos{Line: 10 + i}}, u+".service")
	}
	return Spec{
		Router: "r", Hash: "cafe", Plan: p, Interval: time.Minute, Look: r.observe,
		JSON: func(w io.Writer, rep *report.Report) error {
			_, err := fmt.Fprintf(w, "{%q: %d}\n", rep.Router, len(rep.Results))
			return err
		},
	}
}

// agent is an agent of the router's units a and b that logs without the time.
func (r *router) agent() *Agent {
	return New(Config{
		Spec: r.spec("a", "b"), Now: time.Now, Version: "1", GoVersion: "go1",
		Log: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})),
		Alive: func() { r.beats++ }, Heartbeat: 10 * time.Second,
		Looked: func(report.Summary) { r.looked++ },
	})
}

// lines are what was logged since the last call.
func (r *router) lines() []string {
	out := strings.Split(strings.TrimSuffix(r.log.String(), "\n"), "\n")
	r.log.Reset()
	if out[0] == "" {
		return nil
	}
	return out
}

// A bench runs an agent in a bubble of time of its own, where minutes are nothing.
type bench struct {
	*router
	*Agent
	events chan struct{}
	specs  chan Spec
}

func run(t *testing.T, test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{router: newRouter(), events: make(chan struct{}, 1), specs: make(chan Spec)}
		b.Agent = b.agent()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.Run(ctx, b.events, b.specs)
		}()
		synctest.Wait()
		test(t, b)
		stop()
		<-ended
	})
}

func (b *bench) pass(d time.Duration) {
	// The race detector does not know that time orders things.
	b.router.mu.Lock()
	//lint:ignore SA2001 The lock orders memory; there is nothing to do while it is held.
	b.router.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
}

// event is what a watcher does, which never waits.
func (b *bench) event() {
	select {
	case b.events <- struct{}{}:
	default:
	}
}

func (b *bench) page(t *testing.T, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func want(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestEachChangeIsLoggedOnce(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		want(t, "at first", []string{`level=INFO msg="verified for the first time" router=r checks="2 pass"`}, b.lines())
		b.pass(5 * time.Minute)
		want(t, "all is as it was", []string(nil), b.lines())

		b.set("b.service", "failed")
		b.pass(5 * time.Minute)
		want(t, "b fails", []string{
			`level=ERROR msg=verdict check=service.b/unit was=pass is=fail spec=router.hcl:11 want=active got=failed see="systemctl status b.service"`,
		}, b.lines())
		b.set("b.service", "inactive") // another reason, the same verdict
		b.pass(5 * time.Minute)
		want(t, "b still fails", []string(nil), b.lines())

		b.state = &state.State{Missed: map[string]string{"units": "no bus"}}
		b.pass(5 * time.Minute)
		want(t, "no bus", []string{
			`level=WARN msg="cannot look at a part" part=units why="no bus"`,
			`level=WARN msg=verdict check=service.a/unit was=pass is=unknown spec=router.hcl:10 want=active got="could not be seen" see="systemctl status a.service"`,
			`level=WARN msg=verdict check=service.b/unit was=fail is=unknown spec=router.hcl:11 want=active got="could not be seen" see="systemctl status b.service"`,
		}, b.lines())
		b.state = newRouter().state
		b.pass(5 * time.Minute)
		want(t, "mended", []string{
			`level=INFO msg="can look at a part again" part=units`,
			`level=INFO msg=verdict check=service.a/unit was=unknown is=pass spec=router.hcl:10 want=active got=active see="systemctl status a.service"`,
			`level=INFO msg=verdict check=service.b/unit was=unknown is=pass spec=router.hcl:11 want=active got=active see="systemctl status b.service"`,
		}, b.lines())
		want(t, "counted", 5, b.changes)
		want(t, "looked", len(b.at), b.looked)
	})
}

func TestTheFirstRoundSaysWhatIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter()
		r.set("a.service", "failed")
		r.agent().look(t.Context(), atStart)
		want(t, "log", []string{
			`level=INFO msg="verified for the first time" router=r checks="1 pass, 1 fail"`,
			`level=ERROR msg=verdict check=service.a/unit is=fail spec=router.hcl:10 want=active got=failed see="systemctl status a.service"`,
		}, r.lines())
	})
}

func TestALookEveryInterval(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.pass(150 * time.Second)
		want(t, "looks", []time.Duration{0, time.Minute, 2 * time.Minute}, b.at)
		want(t, "beats", 15, b.beats)
	})
}

func TestALookSoonAfterAnEvent(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.pass(30 * time.Second)
		for range 10 { // a link goes, and all that was on it
			b.event()
			b.pass(10 * time.Millisecond)
		}
		b.pass(61 * time.Second)
		want(t, "looks", []time.Duration{0, 31 * time.Second, 91 * time.Second}, b.at)
		want(t, "by trigger", map[string]int{atStart: 1, onEvent: 1, atInterval: 1}, b.looks)
	})
}

func TestAnEventSoonAfterALookWaits(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.pass(time.Second)
		b.event()
		b.pass(10 * time.Second)
		want(t, "looks", []time.Duration{0, rest}, b.at)
	})
}

func TestAStormOfEvents(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		for range 6000 { // ten minutes
			b.event()
			b.pass(100 * time.Millisecond)
		}
		if n := len(b.at); n < 100 || n > 121 {
			t.Errorf("%d looks in ten minutes", n)
		}
		for i := 1; i < len(b.at); i++ {
			if d := b.at[i] - b.at[i-1]; d < rest {
				t.Errorf("look %d is %s after the one before", i, d)
			}
		}
	})
}

func TestALookThatIsNone(t *testing.T) {
	for name, breaks := range map[string]func(*router){
		"panic":    func(r *router) { r.bug = true },
		"error":    func(r *router) { r.err = errors.New("no kernel") },
		"no state": func(r *router) { r.state = nil },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				b.lines()
				breaks(b.router)
				b.pass(time.Minute)
				if code, body := b.page(t, "/health"); code != 503 || !strings.Contains(body, "could not be looked at") {
					t.Errorf("the last report is recent, but not the last look: %d %s", code, body)
				}
				b.pass(5 * time.Minute)
				n := 0
				for _, l := range b.lines() {
					if strings.Contains(l, "could not be looked at") {
						n++
					}
				}
				want(t, "it was said", 1, n)
				if code, body := b.page(t, "/health"); code != 503 || !strings.Contains(body, "the last look is 6m0s old") {
					t.Errorf("health: %d %s", code, body)
				}
				want(t, "errors", 6, b.errors)
				b.bug, b.err, b.state = false, nil, newRouter().state
				b.pass(time.Minute)
				want(t, "it was said that it is over", []string{`level=INFO msg="the router can be looked at again"`}, b.lines())
				want(t, "changes", 0, b.changes)
			})
		})
	}
}

// A look that hangs must not be hidden from the watchdog.
func TestALookThatHangs(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.hangs = make(chan struct{})
		b.pass(time.Minute)
		before := b.beats
		b.pass(time.Hour)
		want(t, "beats", before, b.beats)
		close(b.hangs)
		b.pass(time.Minute)
		if b.beats == before {
			t.Error("it does not beat any more")
		}
	})
}

func TestAnotherSpec(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.lines()
		b.set("a.service", "failed")
		s := b.spec("a", "c")
		s.Router, s.Interval = "other", time.Hour
		b.specs <- s
		synctest.Wait()
		want(t, "log", []string{
			`level=ERROR msg=verdict check=service.a/unit was=pass is=fail spec=router.hcl:10 want=active got=failed see="systemctl status a.service"`,
			`level=ERROR msg=verdict check=service.c/unit is=fail spec=router.hcl:11 want=active got="not there" see="systemctl status c.service"`,
		}, b.lines())
		b.pass(90 * time.Minute)
		want(t, "looks", []time.Duration{0, 0, time.Hour}, b.at)
		want(t, "by trigger", map[string]int{atStart: 1, onReload: 1, atInterval: 1}, b.looks)
	})
}

func TestALookThatIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter()
		a := r.agent()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r.state = &state.State{}
		a.Run(ctx, nil, nil)
		if a.last != nil || r.log.Len() > 0 {
			t.Errorf("it was kept: %s", r.log.String())
		}
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter()
		b := &bench{router: r, Agent: r.agent()}
		if code, body := b.page(t, "/health"); code != 503 || body != "nothing was looked at yet\n" {
			t.Errorf("before the first look: %d %s", code, body)
		}
		if code, _ := b.page(t, "/report"); code != 503 {
			t.Errorf("a report before the first look: %d", code)
		}
		b.look(t.Context(), atStart)
		if code, body := b.page(t, "/health"); code != 200 || body != "2 pass\n" {
			t.Errorf("all is well: %d %s", code, body)
		}
		if code, body := b.page(t, "/report"); code != 200 || body != "{\"r\": 2}\n" {
			t.Errorf("report: %d %s", code, body)
		}
		r.set("a.service", "fai\x1b[31mled\nok")
		r.set("b.service", "inactive")
		b.look(t.Context(), atInterval)
		code, body := b.page(t, "/health")
		want(t, "code", 503, code)
		want(t, "body", "fail service.a/unit (router.hcl:10): want active, got fai\ufffd[31mled ok\n"+
			"fail service.b/unit (router.hcl:11): want active, got inactive\n2 fail\n", body)
		r.state = &state.State{}
		b.look(t.Context(), atInterval)
		if code, body := b.page(t, "/health"); code != 503 || !strings.HasSuffix(body, "could not be seen\n2 unknown\n") {
			t.Errorf("nothing fails, and nothing is seen: %d %s", code, body)
		}
	})
}

// wellKnown is a state with all that has a metric.
func wellKnown(r *router) {
	r.state.Missed = map[string]string{"rules": "no"}
	r.state.Rulesets = map[string]state.Ruleset{"inet nbr": {Drops: []state.Drop{{Chain: "input", Packets: 7, Bytes: 420}, {Chain: "forward"}, {Chain: "input"}}}}
	r.state.WireGuard = map[string]state.WireGuard{"wg0": {Peers: map[string]state.Peer{"AAA=": {Handshake: 1700000000}, "BBB=": {}}}}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter()
		r.set("b.service", "failed")
		wellKnown(r)
		a := r.agent()
		reg := prometheus.NewRegistry()
		reg.MustRegister(a)
		for range 2 { // before the first look, and after it
			problems, err := testutil.GatherAndLint(reg)
			if err != nil || len(problems) > 0 {
				t.Errorf("lint: %v, %v", problems, err)
			}
			a.look(t.Context(), atStart)
		}
		err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP nbr_build_info The running nbr.
# TYPE nbr_build_info gauge
nbr_build_info{goversion="go1",version="1"} 1
# HELP nbr_check_status The verdict over a check: 1 for the status that it has, 0 for the others.
# TYPE nbr_check_status gauge
nbr_check_status{block="service.a",check="service.a/unit",status="fail"} 0
nbr_check_status{block="service.a",check="service.a/unit",status="pass"} 1
nbr_check_status{block="service.a",check="service.a/unit",status="skip"} 0
nbr_check_status{block="service.a",check="service.a/unit",status="unknown"} 0
nbr_check_status{block="service.b",check="service.b/unit",status="fail"} 1
nbr_check_status{block="service.b",check="service.b/unit",status="pass"} 0
nbr_check_status{block="service.b",check="service.b/unit",status="skip"} 0
nbr_check_status{block="service.b",check="service.b/unit",status="unknown"} 0
# HELP nbr_checks Checks by their status.
# TYPE nbr_checks gauge
nbr_checks{status="fail"} 1
nbr_checks{status="pass"} 1
nbr_checks{status="skip"} 0
nbr_checks{status="unknown"} 0
# HELP nbr_firewall_dropped_bytes_total Bytes of the packets that a chain of the firewall has dropped.
# TYPE nbr_firewall_dropped_bytes_total counter
nbr_firewall_dropped_bytes_total{chain="forward",table="inet nbr"} 0
nbr_firewall_dropped_bytes_total{chain="input",table="inet nbr"} 420
# HELP nbr_firewall_dropped_packets_total Packets that a chain of the firewall has dropped.
# TYPE nbr_firewall_dropped_packets_total counter
nbr_firewall_dropped_packets_total{chain="forward",table="inet nbr"} 0
nbr_firewall_dropped_packets_total{chain="input",table="inet nbr"} 7
# HELP nbr_look_duration_seconds How long the last look took.
# TYPE nbr_look_duration_seconds gauge
nbr_look_duration_seconds 0
# HELP nbr_look_errors_total Looks that came to nothing.
# TYPE nbr_look_errors_total counter
nbr_look_errors_total 0
# HELP nbr_look_timestamp_seconds When the last look ended.
# TYPE nbr_look_timestamp_seconds gauge
nbr_look_timestamp_seconds 9.466848e+08
# HELP nbr_looks_total Looks by what they were for.
# TYPE nbr_looks_total counter
nbr_looks_total{trigger="event"} 0
nbr_looks_total{trigger="interval"} 0
nbr_looks_total{trigger="reload"} 0
nbr_looks_total{trigger="start"} 2
# HELP nbr_missed_parts Parts of the router that the last look could not see.
# TYPE nbr_missed_parts gauge
nbr_missed_parts 1
# HELP nbr_spec_info The spec that the router is verified against.
# TYPE nbr_spec_info gauge
nbr_spec_info{hash="cafe",router="r"} 1
# HELP nbr_verdict_changes_total Verdicts that differed from the one before.
# TYPE nbr_verdict_changes_total counter
nbr_verdict_changes_total 0
# HELP nbr_wireguard_peer_last_handshake_timestamp_seconds When a peer was last heard of, 0 for never.
# TYPE nbr_wireguard_peer_last_handshake_timestamp_seconds gauge
nbr_wireguard_peer_last_handshake_timestamp_seconds{interface="wg0",peer="AAA="} 1.7e+09
nbr_wireguard_peer_last_handshake_timestamp_seconds{interface="wg0",peer="BBB="} 0
`))
		if err != nil {
			t.Error(err)
		}
	})
}

// The page is what promhttp makes of them, with those of Go and of the process.
func TestMetricsPage(t *testing.T) {
	r := newRouter()
	wellKnown(r)
	b := &bench{router: r, Agent: r.agent()}
	b.look(t.Context(), atStart)
	code, body := b.page(t, "/metrics")
	want(t, "code", 200, code)
	for _, name := range []string{"nbr_check_status{", "go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(body, "\n"+name) {
			t.Errorf("no %s", name)
		}
	}
	if problems, err := testutil.CollectAndLint(b.Agent); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestClipKeepsLettersWhole(t *testing.T) {
	if got := clip(strings.Repeat("ä", mostBytes)); strings.ContainsRune(got, '\ufffd') || len(got) > mostBytes+5 {
		t.Errorf("%q", got)
	}
}
