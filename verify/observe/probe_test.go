package observe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// said are probes of each kind that answer with what they are asked.
var said = map[string]*probe.Probe[string, string]{
	"passive": {Name: "test.passive", Look: echo},
	"active":  {Name: "test.active", Active: true, Look: echo},
	"command": {Name: "test.command", UserCommand: true, Look: echo},
}

func echo(_ context.Context, _ probe.Host, q string) (string, error) { return q, nil }

// A passive look leaves out what is active, and that is nothing missed.
func TestPassive(t *testing.T) {
	nstest.Require(t)
	var questions []probe.Question
	for _, p := range said {
		questions = append(questions, p.Ask("x"))
	}
	for passive, want := range map[bool]int{false: 3, true: 1} {
		st := Look(t.Context(), Options{Questions: questions, Passive: passive})
		if st.Passive != passive || len(st.Probes) != want || st.Missed["probes"] != "" || st.Links == nil {
			t.Errorf("passive %t: %+v, missed %q", passive, st.Probes, st.Missed["probes"])
		}
		if _, err := said["passive"].Answer(st, "x"); err != nil {
			t.Error(err)
		}
	}
	if st := Look(t.Context(), Options{}); st.Probes == nil {
		t.Error("nothing was asked, and that is not said")
	}
}

// asked are the answers to questions, by their keys.
func asked(ctx context.Context, questions ...probe.Question) map[string]state.Probed {
	st := look(ctx, Options{Questions: questions}, only("probes"))
	out := map[string]state.Probed{}
	for _, of := range st.Probes {
		for key, a := range of {
			out[key] = a
		}
	}
	return out
}

// One question that falls over costs itself, and so does one that has no time.
func TestQuestionsCostThemselves(t *testing.T) {
	p := &probe.Probe[string, string]{Name: "test.fails", Look: func(_ context.Context, _ probe.Host, q string) (string, error) {
		switch q {
		case "bad":
			return q, errors.New("two\nlines")
		case "mad":
			panic("lost")
		}
		return q, nil
	}}
	got := asked(t.Context(), p.Ask("good"), p.Ask("bad"), p.Ask("mad"))
	want := map[string]state.Probed{"good": {Answer: []byte(`"good"`)}, "bad": {Error: "two; lines"}, "mad": {Error: "bug: lost"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	waits := &probe.Probe[string, string]{Name: "test.waits", Look: func(ctx context.Context, _ probe.Host, q string) (string, error) {
		<-ctx.Done()
		return q, nil // as one that takes a cut for silence, or silence for an answer
	}}
	var questions []probe.Question
	for i := range 2 * atOnce {
		questions = append(questions, waits.Ask(fmt.Sprint(i)))
	}
	answers := asked(ctx, questions...)
	for q, a := range answers {
		if a.Answer != nil || !strings.HasPrefix(a.Error, "there was no time ") || !strings.HasSuffix(a.Error, context.DeadlineExceeded.Error()) {
			t.Errorf("%s: %+v", q, a)
		}
	}
	if len(answers) != len(questions) {
		t.Errorf("%d answers", len(answers))
	}
}

// Many questions wait together, but not more than there are turns; commands of users have
// fewer, and more time.
func TestTurns(t *testing.T) {
	for command, turns := range map[bool]int32{false: atOnce, true: commandsAtOnce} {
		var open, most atomic.Int32
		var least, until atomic.Int64
		p := &probe.Probe[string, string]{Name: "test.turns", UserCommand: command, Look: func(ctx context.Context, _ probe.Host, q string) (string, error) {
			n := open.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			for deadline := time.Now().Add(nstest.Patience); most.Load() < turns && time.Now().Before(deadline) && ctx.Err() == nil; {
				time.Sleep(time.Millisecond) // for the others
			}
			open.Add(-1)
			deadline, _ := ctx.Deadline()
			until.Store(deadline.UnixNano())
			return q, nil
		}}
		var questions []probe.Question
		for i := range 10 * int(turns) {
			questions = append(questions, p.Ask(fmt.Sprint(i)))
		}
		least.Store(time.Now().Add(map[bool]time.Duration{false: patience, true: CommandsTime}[command]).UnixNano())
		if got := asked(t.Context(), questions...); len(got) != len(questions) || most.Load() != turns || until.Load() < least.Load() {
			t.Errorf("%d answers, %d at once, of %d turns", len(got), most.Load(), turns)
		}
	}
}

// runs runs a program and says how it ended.
var runs = &probe.Probe[string, string]{Name: "test.program", UserCommand: true, Look: func(ctx context.Context, h probe.Host, q string) (string, error) {
	out, err := h.Run(ctx, strings.Fields(q)[0], strings.Fields(q)[1:]...)
	return fmt.Sprintf("%d %s", out.Exit, out.Stdout), err
}}

// A program of the system that PATH has not is found where NixOS has it.
func TestProgramsOfTheSystem(t *testing.T) {
	root := t.TempDir()
	bin := filepath.Join(root, "run/current-system/sw/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := nstest.WriteFile(bin+"/nixos-only", []byte("#!/bin/sh\necho from $0\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	st := look(t.Context(), Options{Root: root, Questions: []probe.Question{runs.Ask("nixos-only")}}, only("probes"))
	if got, err := runs.Answer(st, "nixos-only"); err != nil || got != "7 from "+bin+"/nixos-only\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// An interrupt ends a command of the user that has more time than a look.
func TestAnInterruptEndsCommands(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	script := t.TempDir() + "/script"
	started := script + ".started"
	if err := nstest.WriteFile(script, []byte("#!/bin/sh\necho >"+started+"\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	go func() {
		for os.Remove(started) != nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if a := asked(ctx, runs.Ask(script))[script]; a.Error != "there was no time for the answer: context canceled" {
		t.Errorf("%+v", a)
	}
}
