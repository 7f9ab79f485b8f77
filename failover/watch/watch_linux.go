package watch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/nbr-dev/nbr/failover"
)

// A key is one version of IP of an uplink.
type key struct {
	uplink string
	family failover.Family
}

type watcher struct {
	Options
	conf   failover.Config
	lines  map[key]failover.Line
	ways   map[key]time.Time // since when there is one
	fallen map[key]bool      // that have failed, and whose flows are not forgotten yet
	chosen map[failover.Family]string
	again  map[string]chan bool // asks for a round now
	ready  bool
	told   string // the last trouble, so that it is logged once
}

// results are what a round found out of an uplink's versions of IP.
type results struct {
	uplink *failover.Uplink
	began  time.Time
	rounds map[failover.Family]failover.Round
}

// settle is how long further news are waited for: what a lease or a link brings comes in several
// messages.
const settle = 50 * time.Millisecond

// Run watches until the context ends. Routes and rules stay then, so that a restart changes
// nothing for any flow.
func Run(ctx context.Context, conf failover.Config, o Options) error {
	if err := conf.Check(); err != nil {
		return err
	}
	w := &watcher{
		Options: o, conf: conf, lines: map[key]failover.Line{}, ways: map[key]time.Time{}, fallen: map[key]bool{},
		chosen: map[failover.Family]string{}, again: map[string]chan bool{},
	}
	news, err := subscribe(ctx)
	if err != nil {
		return fmt.Errorf("news of links, addresses and routes: %w", err)
	}
	rounds := make(chan results)
	for i := range conf.Uplinks {
		w.again[conf.Uplinks[i].Name] = make(chan bool, 1)
	}
	w.sync(time.Now())
	for i := range conf.Uplinks {
		u := &conf.Uplinks[i]
		go probing(ctx, u, w.again[u.Name], rounds)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			time.Sleep(settle)
			select {
			case <-news:
			default:
			}
		case r := <-rounds:
			w.judge(r, time.Now())
		}
		w.sync(time.Now())
	}
}

// probing asks the probes of an uplink every interval, beginning at once.
func probing(ctx context.Context, u *failover.Uplink, again <-chan bool, out chan<- results) {
	tick := time.NewTicker(time.Duration(u.Interval) * time.Second)
	defer tick.Stop()
	for {
		began := time.Now()
		select {
		case out <- results{u, began, ask(ctx, u)}:
		case <-ctx.Done():
			return
		}
		select {
		case <-again:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// judge takes a round into account where there was a way from its beginning on.
func (w *watcher) judge(r results, now time.Time) {
	for f, round := range r.rounds {
		k := key{r.uplink.Name, f}
		if since, ok := w.ways[k]; ok && since.Before(r.began) {
			w.set(k, w.lines[k].After(round, r.uplink, now))
		}
	}
}

// set remembers a line, and says so if it changed.
func (w *watcher) set(k key, l failover.Line) {
	before := w.lines[k]
	w.lines[k] = l
	switch {
	case l.Known == before.Known && l.Up == before.Up:
	case l.Up:
		w.Log.Info("uplink works", "uplink", k.uplink, "family", k.family)
		delete(w.fallen, k)
	default:
		w.Log.Warn("uplink has failed", "uplink", k.uplink, "family", k.family, "why", l.Why)
		w.fallen[k] = true
	}
}

// sync looks at the kernel, decides, and changes what differs. What was not seen is no reason to
// change anything.
func (w *watcher) sync(now time.Time) {
	k, err := look(w.conf)
	if err != nil {
		w.trouble(err)
		return
	}
	for i := range w.conf.Uplinks {
		w.see(&w.conf.Uplinks[i], k, now)
	}
	for _, f := range failover.Families() {
		chosen := w.conf.Choose(f, k.view, func(uplink string) failover.Line { return w.lines[key{uplink, f}] })
		if chosen == "" {
			continue // and what was chosen before stays
		}
		if chosen != w.chosen[f] {
			w.Log.Info("new connections take", "uplink", chosen, "family", f)
		}
		w.chosen[f] = chosen
	}
	err = k.apply(w.conf.Routes(k.view, w.chosen), w.conf.Rules(k.view))
	// Only now: before, they would begin anew where they were.
	for k := range w.fallen {
		n, ferr := forget(w.conf, k.uplink, k.family)
		if err = cmp.Or(err, ferr); ferr == nil {
			delete(w.fallen, k)
			w.Log.Info("flows are forgotten", "uplink", k.uplink, "family", k.family, "flows", n)
		}
	}
	w.trouble(cmp.Or(err, w.Status(w.status(k.view, now))))
	w.tellReady()
}

// see looks at whether an uplink has a way. A route over a link without a carrier is none.
func (w *watcher) see(u *failover.Uplink, k *kernel, now time.Time) {
	for _, f := range u.Families {
		id := key{u.Name, f}
		if why := k.lost(u, f); why != "" {
			delete(w.ways, id)
			delete(k.view.Ways[u.Name], f)
			w.set(id, w.lines[id].Lost(why, now))
			continue
		}
		if _, ok := w.ways[id]; !ok {
			w.ways[id] = now
			select {
			case w.again[u.Name] <- true:
			default:
			}
		}
	}
}

// tellReady tells once that all lines with a way have been judged.
func (w *watcher) tellReady() {
	for k := range w.ways {
		if !w.lines[k].Known {
			return
		}
	}
	if !w.ready && w.Ready != nil {
		w.Ready()
	}
	w.ready = true
}

func (w *watcher) status(v failover.View, now time.Time) failover.Status {
	s := failover.Status{Format: 1, Written: now.Unix(), Uplinks: w.conf.Uplinks}
	for _, u := range w.conf.Uplinks {
		for _, f := range u.Families {
			l := w.lines[key{u.Name, f}]
			st := failover.LineStatus{Uplink: u.Name, Family: f, Known: l.Known, Up: l.Up, Chosen: w.chosen[f] == u.Name}
			if l.Known {
				st.Since = l.Since.Unix()
			}
			if !l.Up {
				st.Why = l.Why
			}
			if way, ok := v.Ways[u.Name][f]; ok && way.Via.IsValid() {
				st.Via = way.Via.String()
			}
			s.Lines = append(s.Lines, st)
		}
	}
	return s
}

// trouble logs an error when it is another one than before.
func (w *watcher) trouble(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != w.told {
		w.Log.Error("not all could be seen or set", "why", text)
	}
	w.told = text
}
