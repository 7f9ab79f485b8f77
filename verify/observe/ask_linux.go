package observe

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/nbr-dev/nbr/verify/observe/host"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

const (
	// atOnce is how many questions may be open at a time.
	atOnce = 32
	// commandsAtOnce is few: each may be a script that keeps a router busy.
	commandsAtOnce = 4
)

// probes asks the programs' own questions. Each costs no more than itself: one that
// panics or takes too long has its reason as the answer. Commands of the user have turns
// and a time of their own: one that takes a minute must not keep those waiting that ask
// the network.
func (l *looker) probes(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	long, cancel := context.WithTimeout(ctx, CommandsTime)
	defer cancel()
	turns, commandTurns := make(chan struct{}, atOnce), make(chan struct{}, commandsAtOnce)
	out := map[string]map[string]state.Probed{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, q := range l.Questions {
		if q.Active && l.Passive {
			continue
		}
		wg.Go(func() {
			ctx, turns := bounded, turns
			if q.UserCommand {
				ctx, turns = long, commandTurns
			}
			v := askInTurn(ctx, turns, host.New(ctx, l.root(), q.UserCommand), q)
			mu.Lock()
			defer mu.Unlock()
			if out[q.Probe] == nil {
				out[q.Probe] = map[string]state.Probed{}
			}
			out[q.Probe][q.Key] = v
		})
	}
	wg.Wait()
	l.st.Probes = out
	return nil
}

// askInTurn asks one question when it has its turn.
func askInTurn(ctx context.Context, turns chan struct{}, h probe.Host, q probe.Question) (v state.Probed) {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return state.Probed{Error: "there was no time to ask: " + ctx.Err().Error()}
	}
	defer func() {
		<-turns
		if p := recover(); p != nil {
			v = state.Probed{Error: fmt.Sprintf("bug: %v", p)}
		}
		v.Error = strings.ReplaceAll(v.Error, "\n", "; ")
	}()
	v = q.Look(ctx, h)
	if ctx.Err() != nil { // what was cut short tells nothing
		return state.Probed{Error: "there was no time for the answer: " + ctx.Err().Error()}
	}
	return v
}
