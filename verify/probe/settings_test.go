package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// oneFile is a machine with one file.
type oneFile struct {
	noHost
	name, text string
}

func (f oneFile) ReadFile(name string) ([]byte, error) {
	if name != f.name {
		return nil, errors.New("no such file")
	}
	return []byte(f.text), nil
}

func TestSettings(t *testing.T) {
	host := oneFile{name: "/etc/x.conf", text: "# Port 1\nPort 22\n\tport\t 23 24 \nport = 25\nPort=26\nPorts 27\nPort\n"}
	for _, tt := range []struct {
		file, keyword string
		want          []string
	}{
		{"/etc/x.conf", "PORT", []string{"22", "23 24", "25", "26"}},
		{"/etc/x.conf", "Ports", []string{"27"}},
		{"/etc/x.conf", "Listen", []string{}},
		{"/etc/y.conf", "Port", nil},
	} {
		q := probe.Setting{File: tt.file, Keyword: tt.keyword}
		asked := probe.Settings.Ask(q)
		seen := asked.Look(context.Background(), host)
		st := &state.State{Probes: map[string]map[string]state.Probed{asked.Probe: {asked.Key: seen}}}
		got, err := probe.Settings.Answer(st, q)
		if !slices.Equal(got, tt.want) || (err != nil) != (tt.want == nil) {
			t.Errorf("%s %s: %q, %v", tt.file, tt.keyword, got, err)
		}
		if tt.want != nil && !json.Valid(seen.Answer) {
			t.Errorf("%s: %s", tt.keyword, seen.Answer)
		}
	}
}
