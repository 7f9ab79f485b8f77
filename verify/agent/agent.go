// Package agent keeps verifying a router for as long as it runs: every so often,
// and soon after something has changed. It says each change of a verdict once, and
// serves what it found to Prometheus and other clients.
//
// It looks at nothing itself and owns no socket: a look is a function that it is
// given, events are a channel, and the handler of its pages is served by the caller
// else.
package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// A Spec is what a router is verified against.
type Spec struct {
	Router string
	Hash   string // of the spec's files, to tell whether two routers have the same
	Plan   *verify.Plan
	Names  []string // by which the pages may be asked for, in lower case; addresses may always
	// Interval is the time between looks when nothing happens.
	Interval time.Duration
	// Look looks at the router once, for the checks of the plan.
	Look func(context.Context) (*state.State, error)
	// JSON writes a report for programs.
	JSON func(io.Writer, *report.Report) error
}

// Config says how to verify.
type Config struct {
	Spec Spec
	Log  *slog.Logger
	Now  func() time.Time

	Version, GoVersion string // of this program

	// Looked, if set, is called after every look that was one.
	Looked func(report.Summary)
	// Alive, if set, is called every Heartbeat while the loop waits. A look that does
	// not come back keeps it silent: that is for a watchdog to see.
	Alive     func()
	Heartbeat time.Duration
}

// One event seldom comes alone: a link that goes takes its addresses and routes
// with it. And a storm of them must not keep the router busy with looking at itself.
const (
	settle = time.Second     // from the first event to the look at what it did
	rest   = 5 * time.Second // at least, between a look and one for an event
)

// The reasons for a look.
const (
	atStart    = "start"
	atInterval = "interval"
	onEvent    = "event"
	onReload   = "reload"
)

// An Agent verifies a router again and again.
type Agent struct {
	Config
	pages http.Handler

	mu      sync.Mutex // guards what follows: pages are served while it looks
	last    *round     // nil before the first look
	broken  string     // why the last look was none, or ""
	looks   map[string]int
	errors  int
	changes int
}

// A round is what one look found. It does not change any more.
type round struct {
	spec   Spec
	report *report.Report
	ended  time.Time
	took   time.Duration
	drops  []drop
	peers  []peer
}

// New makes an agent that has not looked yet.
func New(c Config) *Agent {
	a := &Agent{Config: c, looks: map[string]int{}}
	a.pages = a.handler()
	return a
}

// Run looks until the context ends: at once, every interval, after events, and at
// the specs that it gets, which replace the one before.
func (a *Agent) Run(ctx context.Context, events <-chan struct{}, specs <-chan Spec) {
	var beat <-chan time.Time
	if a.Alive != nil && a.Heartbeat > 0 {
		t := time.NewTicker(a.Heartbeat)
		defer t.Stop()
		beat = t.C
	}
	for trigger := atStart; trigger != ""; {
		select { // what happened until now is part of what is seen now
		case <-events:
		default:
		}
		a.look(ctx, trigger)
		trigger = a.wait(ctx, beat, events, specs)
	}
}

// wait waits for a reason to look, which is "" when the context ends.
func (a *Agent) wait(ctx context.Context, beat <-chan time.Time, events <-chan struct{}, specs <-chan Spec) string {
	start := a.Now()
	trigger := atInterval
	timer := time.NewTimer(a.Spec.Interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-beat:
			a.Alive()
		case s := <-specs:
			a.mu.Lock()
			a.Spec = s
			a.mu.Unlock()
			return onReload
		case <-events:
			events = nil // the look will see what else happens until then
			passed := a.Now().Sub(start)
			if due := max(settle, rest-passed); passed+due < a.Spec.Interval {
				trigger = onEvent
				timer.Reset(due)
			}
		case <-timer.C:
			return trigger
		}
	}
}

// look looks once, keeps what was found and says what is new in it. A look that was
// none leaves the last report as it is; its age tells.
func (a *Agent) look(ctx context.Context, trigger string) {
	start := a.Now()
	r, st, err := a.judge(ctx)
	if ctx.Err() != nil {
		return // it was cut short, and saw less than the one before
	}
	if err == nil {
		r.ended = a.Now()
		r.took = r.ended.Sub(start)
		r.drops, r.peers = drops(st), peers(st)
	}

	a.mu.Lock()
	before, broken := a.last, a.broken
	a.looks[trigger]++
	if err != nil {
		a.errors++
		a.broken = err.Error()
	} else {
		a.last, a.broken = r, ""
	}
	a.mu.Unlock()

	if err != nil {
		if broken != err.Error() {
			a.Log.Error("the router could not be looked at", "why", err)
		}
		return
	}
	if broken != "" {
		a.Log.Info("the router can be looked at again")
	}
	n := a.logChanges(before, r)
	a.mu.Lock()
	a.changes += n
	a.mu.Unlock()
	if a.Looked != nil {
		a.Looked(r.report.Summary())
	}
}

// judge looks and evaluates the plan. A bug in either is no reason to stop looking.
func (a *Agent) judge(ctx context.Context) (r *round, st *state.State, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("bug: %v", p)
			a.Log.Error("bug", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	if st, err = a.Spec.Look(ctx); err != nil {
		return nil, nil, err
	}
	results, err := verify.Eval(a.Spec.Plan, st)
	if err != nil {
		return nil, nil, err
	}
	return &round{spec: a.Spec, report: &report.Report{Router: a.Spec.Router, Results: results, Missed: st.Missed}}, st, nil
}

// ServeHTTP serves /metrics, /health and /report.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.pages.ServeHTTP(w, r) }

// now is what the pages show.
func (a *Agent) now() (last *round, broken string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last, a.broken
}
