// Package observe looks at the machine that it runs on and fills a [state.State].
// No other package of nbr asks a kernel or starts a program of a router, and it judges
// nothing: what a spec promises is package verify's.
//
// Each collector fills its own part. One that cannot look leaves the part nil and
// says why in Missed, and costs nothing else. Secrets never get into a state: of a
// file only owner and mode are asked for, and WireGuard's private keys are dropped
// where they come in.
package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Options say what to look at.
type Options struct {
	// Root is put in front of every path below /proc, /sys, /run and /etc, so that
	// a folder can stand for a machine. The kernel itself has no other root.
	Root string
	// Needs are what the checks ask for by name: verify.Plan.Needs.
	Needs []state.Need
	// Questions are those of the programs' own probes: verify.Plan.Questions.
	Questions []probe.Question
	// Time is the Unix time of the look, for the ages of what is seen.
	Time int64
	// Passive leaves out the questions of active probes: they are not in Probes.
	Passive bool
}

// patience is how long one collector may take. A daemon that does not answer must
// not look like one that has nothing to say, nor keep the others waiting.
const patience = 10 * time.Second

// CommandsTime is how long all commands of check blocks together may take. What has not
// ended by then, or not begun, is not known.
const CommandsTime = time.Minute

// A collector fills some parts of a state.
type collector struct {
	parts string // as in the JSON form, with spaces between them
	look  func(*looker, context.Context) error
	// ownTime is of one that bounds its time by itself.
	ownTime bool
}

// A looker is one look at the machine. Collectors run at the same time; each
// writes its own fields of st.
type looker struct {
	Options
	st *state.State
	mu sync.Mutex // guards st.Missed
}

// Look looks once at everything, and asks all questions. What it could not see is in
// Missed, what it could not ask in the answer's Error.
func Look(ctx context.Context, o Options) *state.State {
	return look(ctx, o, collectors)
}

func look(ctx context.Context, o Options, all []collector) *state.State {
	l := &looker{
		Options: o,
		st:      &state.State{FormatVersion: state.Version, Time: o.Time, Passive: o.Passive},
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wg sync.WaitGroup
	for _, c := range all {
		switch {
		case c.ownTime:
			wg.Go(func() { l.run(ctx, c) })
		default:
			wg.Go(func() { l.run(bounded, c) })
		}
	}
	wg.Wait()
	return l.st
}

// run runs one collector. The libraries that read what the kernel sends index into
// its messages; should a kernel of tomorrow send one that is shorter, that is one
// part not seen, not the end of the agent.
func (l *looker) run(ctx context.Context, c collector) {
	err := ctx.Err()
	if err == nil {
		err = func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("bug: %v", p)
				}
			}()
			return c.look(l, ctx)
		}()
	}
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for part := range strings.FieldsSeq(c.parts) {
		if l.st.Missed == nil {
			l.st.Missed = map[string]string{}
		}
		l.st.Missed[part] = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
}

// asked are the needs of a kind, each name once.
func (l *looker) asked(kind state.NeedKind) []state.Need {
	var out []state.Need
	for _, n := range l.Needs {
		if n.Kind == kind && !slices.ContainsFunc(out, func(o state.Need) bool { return o.Name == n.Name }) {
			out = append(out, n)
		}
	}
	return out
}

// each looks at all needs of a kind. What is not there is not in the result. If one
// of them cannot be looked at, none is returned: a reader of the part could not
// tell it from one that is not there.
func each[T any](l *looker, kind state.NeedKind, look func(state.Need) (T, error)) (map[string]T, error) {
	out := map[string]T{}
	var errs error
	for _, n := range l.asked(kind) {
		v, err := look(n)
		switch {
		case errors.Is(err, root.ErrNotThere):
		case err != nil:
			errs = errors.Join(errs, fmt.Errorf("%s: %w", n.Name, err))
		default:
			out[n.Name] = v
		}
	}
	if errs != nil {
		return nil, errs
	}
	return out, nil
}

// root is where the machine's files are.
func (l *looker) root() root.Root { return root.Root(l.Root) }
