package observe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nbr-dev/nbr/verify/state"
)

const (
	// wait is how long an answer may take. A daemon of this machine has it in
	// milliseconds.
	wait = 2 * time.Second
	// repeat is when a question that may have got lost is asked a second time.
	repeat = 700 * time.Millisecond
)

// ask asks all questions of a kind at the same time. One that could not be asked has
// its reason as the answer and costs no other: failed makes an answer of it.
func ask[T any](ctx context.Context, l *looker, kind state.NeedKind, question func(context.Context, state.Need) (T, error), failed func(string) T) map[string]T {
	out := map[string]T{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, n := range l.asked(kind) {
		wg.Go(func() {
			v, err := inTurn(ctx, l.turns, n, question)
			if err != nil {
				v = failed(strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			mu.Lock()
			defer mu.Unlock()
			out[n.Name] = v
		})
	}
	wg.Wait()
	return out
}

// inTurn asks one question when it has its turn. As with collectors, one that falls
// over costs itself.
func inTurn[T any](ctx context.Context, turns chan struct{}, n state.Need, question func(context.Context, state.Need) (T, error)) (v T, err error) {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return v, fmt.Errorf("there was no time to ask: %w", ctx.Err())
	}
	defer func() {
		<-turns
		if p := recover(); p != nil {
			err = fmt.Errorf("bug: %v", p)
		}
	}()
	v, err = question(ctx, n)
	if ctx.Err() != nil { // no silence counts that was cut short
		err = fmt.Errorf("there was no time for the answer: %w", ctx.Err())
	}
	return v, err
}

// closeWith ends all waiting on a connection when the context ends.
func closeWith(ctx context.Context, c interface{ SetDeadline(time.Time) error }) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
}
