package observe

import (
	"context"
	"path/filepath"
	"time"
)

// WatchOptions say what to watch.
type WatchOptions struct {
	// Root is as that of [Options].
	Root string
	// Ignore is the beginning of the names of units that are no news to the
	// watcher, because they look for it. Its own unit never is.
	Ignore string
	// Trouble is told when a source of events breaks and, with no error, when it is
	// back. It may be called by several at once.
	Trouble func(source string, err error)
}

// retryAfter is how long a source that broke is left alone.
const retryAfter = 5 * time.Second

// A source of events calls poke, which never waits, each time something happens, and
// once ready when it listens. It returns when it cannot listen any longer.
type source struct {
	name  string
	watch func(ctx context.Context, o WatchOptions, ready, poke func()) error
}

// Watch sends to the channel that it returns when something has happened that Look
// may see, until the context ends. What has happened is not told, and events that
// have not been taken yet are one: the channel holds it, so a storm costs nothing.
//
// A source that cannot be listened to is tried again and again; when it is back, that
// is an event too, since what was missed is unknown.
func Watch(ctx context.Context, o WatchOptions) <-chan struct{} {
	o.Root = filepath.Join("/", o.Root)
	events := make(chan struct{}, 1)
	for _, s := range sources {
		go s.run(ctx, o, events)
	}
	return events
}

func (s source) run(ctx context.Context, o WatchOptions, events chan<- struct{}) {
	poke := func() {
		select {
		case events <- struct{}{}:
		default: // one waits already
		}
	}
	told := ""
	ready := func() {
		if told != "" {
			told = ""
			o.Trouble(s.name, nil)
		}
		poke()
	}
	for {
		err := s.watch(ctx, o, ready, poke)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			o.Trouble(s.name, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}
