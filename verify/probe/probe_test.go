package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

type question struct {
	Of string `json:"of"`
	N  int    `json:"n"`
}

type answer struct {
	Text string `json:"text"`
}

// noHost is a machine that has no files, and nothing else is asked of.
type noHost struct{ probe.Host }

func (noHost) ReadFile(string) ([]byte, error) { return nil, errors.New("no files") }

var echo = &probe.Probe[question, answer]{Name: "test.echo", Look: func(_ context.Context, h probe.Host, q question) (answer, error) {
	if q.N == 0 {
		_, err := h.ReadFile("/none")
		return answer{}, err
	}
	return answer{strings.Repeat(q.Of, q.N)}, nil
}}

// seen is a state with the answers to questions, as it is recorded.
func seen(qs ...question) *state.State {
	st := &state.State{Probes: map[string]map[string]state.Probed{"test.echo": {}}}
	for _, q := range qs {
		asked := echo.Ask(q)
		st.Probes[asked.Probe][asked.Key] = asked.Look(context.Background(), noHost{})
	}
	b, err := json.Marshal(st)
	if err != nil {
		panic(err)
	}
	again := new(state.State)
	if err := json.Unmarshal(b, again); err != nil {
		panic(err)
	}
	return again
}

func TestAnswer(t *testing.T) {
	st := seen(question{"ab", 2}, question{"x", 0})
	if a, err := echo.Answer(st, question{"ab", 2}); err != nil || a.Text != "abab" {
		t.Error(a, err)
	}
	if _, err := echo.Answer(st, question{"x", 0}); err == nil || err.Error() != "no files" {
		t.Error(err)
	}
	if _, err := echo.Answer(st, question{"ab", 3}); !errors.Is(err, probe.ErrNotAsked) {
		t.Error(err)
	}
	if _, err := echo.Answer(&state.State{}, question{"ab", 2}); !errors.Is(err, probe.ErrNotAsked) {
		t.Error(err)
	}
}

// TestStrict refuses an answer with a field that the probe does not know: it may be the
// one that matters.
func TestStrict(t *testing.T) {
	key := echo.Ask(question{"a", 1}).Key
	for _, text := range []string{`{"text": "a", "more": 1}`, `{"text": 1}`, `{`, ``} {
		st := &state.State{Probes: map[string]map[string]state.Probed{"test.echo": {key: {Answer: json.RawMessage(text)}}}}
		if a, err := echo.Answer(st, question{"a", 1}); err == nil || a.Text != "" {
			t.Errorf("%s: %q, %v", text, a.Text, err)
		}
	}
}

// TestKeys has a text as it is, since it is read by people.
func TestKeys(t *testing.T) {
	text := &probe.Probe[string, answer]{Name: "test.text"}
	if key := text.Ask(`a "b"`).Key; key != `a "b"` {
		t.Error(key)
	}
	if key := echo.Ask(question{"a", 1}).Key; key != `{"of":"a","n":1}` {
		t.Error(key)
	}
}
