package observe

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// everyQuestion is one of each kind.
var everyQuestion = []state.Need{
	{Kind: state.NeedOffer, Name: "none"},
	{Kind: state.NeedAnswer, Name: "127.0.0.1 . SOA"},
	{Kind: state.NeedBanner, Name: "127.0.0.1:1"},
	{Kind: state.NeedReach, Name: "none tcp/22"},
	{Kind: state.NeedCommand, Name: "check.x", Args: []string{"/bin/true"}},
}

// Who is passive asks nobody, and that is nothing missed.
func TestPassive(t *testing.T) {
	nstest.Require(t)
	for _, n := range everyQuestion {
		if !n.Kind.Active() {
			t.Errorf("%s is no question", n.Kind)
		}
	}
	st := Look(t.Context(), Options{Needs: everyQuestion, Passive: true})
	if !st.Passive || st.Offers != nil || st.Answers != nil || st.Banners != nil || st.Reaches != nil || st.Commands != nil {
		t.Errorf("%+v", st)
	}
	for _, part := range strings.Fields("offers answers banners reaches commands") {
		if why, missed := st.Missed[part]; missed {
			t.Errorf("%s: %s", part, why)
		}
	}
	if st.Links == nil {
		t.Error("nothing was looked at either")
	}
}

// Every kind of question has its part, and a part of which nothing was asked is
// empty.
func TestQuestions(t *testing.T) {
	nstest.Require(t)
	got := Look(t.Context(), Options{Needs: everyQuestion})
	for i, n := range []int{len(got.Offers), len(got.Answers), len(got.Banners), len(got.Reaches), len(got.Commands)} {
		if n != 1 {
			t.Errorf("%d answers to %+v", n, everyQuestion[i])
		}
	}
	got = Look(t.Context(), Options{})
	if got.Passive || got.Offers == nil || got.Answers == nil || got.Banners == nil || got.Reaches == nil || got.Commands == nil {
		t.Errorf("nothing was asked: %+v", got)
	}
}

// One question that falls over costs itself, and so does one that has no turn.
func TestQuestionsCostThemselves(t *testing.T) {
	l := &looker{turns: make(chan struct{}, 1)}
	l.Needs = needs(state.NeedBanner, "good", "bad", "mad")
	failed := func(why string) state.Banner { return state.Banner{Error: why} }
	got := ask(t.Context(), l, state.NeedBanner, func(_ context.Context, n state.Need) (state.Banner, error) {
		switch n.Name {
		case "bad":
			return state.Banner{Connected: true}, fmt.Errorf("two\nlines")
		case "mad":
			panic("lost")
		}
		return state.Banner{Connected: true, Line: "2"}, nil
	}, failed)
	want := map[string]state.Banner{"good": {Connected: true, Line: "2"}, "bad": {Error: "two; lines"}, "mad": {Error: "bug: lost"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got = ask(ctx, l, state.NeedBanner, func(ctx context.Context, _ state.Need) (state.Banner, error) {
		<-ctx.Done()
		return state.Banner{Connected: true}, nil // as who takes a cut for silence, or silence for an answer
	}, failed)
	for n, v := range got {
		if v.Connected || !strings.HasPrefix(v.Error, "there was no time ") || !strings.HasSuffix(v.Error, context.DeadlineExceeded.Error()) {
			t.Errorf("%s: %+v", n, v)
		}
	}
	if len(got) != 3 {
		t.Errorf("%v", got)
	}
}

// Many questions wait together, but not more than there are turns.
func TestTurns(t *testing.T) {
	l := &looker{turns: make(chan struct{}, 4)}
	for i := range 40 {
		l.Needs = append(l.Needs, needs(state.NeedBanner, fmt.Sprint(i))...)
	}
	var open, most atomic.Int32
	got := ask(t.Context(), l, state.NeedBanner, func(context.Context, state.Need) (state.Banner, error) {
		n := open.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		for deadline := time.Now().Add(nstest.Patience); most.Load() < 4 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // for the others
		}
		open.Add(-1)
		return state.Banner{Connected: true}, nil
	}, func(why string) state.Banner { return state.Banner{Error: why} })
	if len(got) != 40 || most.Load() != 4 {
		t.Errorf("%d answers, %d at once", len(got), most.Load())
	}
}
