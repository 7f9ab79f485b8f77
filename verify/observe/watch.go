package observe

import (
	"context"
	"path/filepath"
	"time"
)

// retryAfter is how long a source that broke is left alone.
const retryAfter = 5 * time.Second

// A source of events calls poke, which never waits, each time something happens, and
// once ready when it listens. It returns when it cannot listen any longer.
type source struct {
	name  string
	watch func(ctx context.Context, root string, ready, poke func()) error
}

// Watch sends to the channel that it returns when something has happened that Look
// may see, until the context ends. What has happened is not told, and events that
// nobody has taken yet are one: the channel holds it, so a storm costs nothing.
//
// A source that cannot be listened to is tried again and again; when it is back, that
// is an event too, since nobody knows what was missed. trouble is told when a source
// breaks and, with no error, when it is back.
func Watch(ctx context.Context, root string, trouble func(source string, err error)) <-chan struct{} {
	events := make(chan struct{}, 1)
	for _, s := range sources {
		go s.run(ctx, filepath.Join("/", root), events, trouble)
	}
	return events
}

func (s source) run(ctx context.Context, root string, events chan<- struct{}, trouble func(string, error)) {
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
			trouble(s.name, nil)
		}
		poke()
	}
	for {
		err := s.watch(ctx, root, ready, poke)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			trouble(s.name, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}
