package suricata

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"reflect"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
)

// daemon is a machine with a Suricata that answers commands as the map has it, and knows no other.
type daemon struct {
	probe.Host
	answers map[string]string
	tables  *[]string // what is read, one after another
}

func (d daemon) ReadFile(string) ([]byte, error) {
	if len(*d.tables) == 0 {
		return nil, fs.ErrNotExist
	}
	text := (*d.tables)[0]
	*d.tables = (*d.tables)[1:]
	return []byte(text), nil
}

func (d daemon) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		for in := bufio.NewScanner(server); in.Scan(); {
			var q struct{ Version, Command string }
			_ = json.Unmarshal(in.Bytes(), &q)
			a, ok := d.answers[q.Command]
			if !ok {
				a = `{"message":"Unknown command","return":"NOK"}`
			}
			fmt.Fprintln(server, a)
		}
	}()
	return client, nil
}

// Suricata that does not say how many rules it has, or where it looks, has not said none.
func TestEngineThatDoesNotSay(t *testing.T) {
	t.Parallel()
	say := func(message string) string { return `{"message":` + message + `,"return":"OK"}` }
	all := map[string]string{
		"": `{"return":"OK"}`, "ruleset-stats": say(`[{"id":0,"rules_loaded":3,"rules_failed":0,"rules_skipped":0}]`),
		"ruleset-failed-rules": say(`[]`), "iface-list": say(`{"count":1,"ifaces":["NFQ#0"]}`),
	}
	if e, err := askEngine(t.Context(), daemon{answers: all}, struct{}{}); err != nil || e.Loaded != 3 || len(e.Sources) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	for command := range all {
		some := map[string]string{}
		for c, a := range all {
			if c != command {
				some[c] = a
			}
		}
		if e, err := askEngine(t.Context(), daemon{answers: some}, struct{}{}); err == nil {
			t.Errorf("without an answer to %q: %+v", command, e)
		}
	}
}

// What a queue counts is told as it grows, also past the end of its 32 bits, and from the beginning for
// a queue that another program made.
func TestQueuesGrow(t *testing.T) {
	t.Parallel()
	tables := []string{
		"    0  21000  4096 2 65535 4294967295     7 4294967290  1\n    1  21001     0 2 65535  9000    50  1000  1\n    2  21002     5 2 65535  9000    50  1000  1\n",
		"    0  21000  4000 2 65535          2     9          9  1\n    1  21001    12 2 65535  9000    50  1000  1\n    2  31002     8 2 65535     1     0     7  1\n",
	}
	got, err := lookQueues(t.Context(), daemon{tables: &tables}, struct{}{})
	want := []queue{{Number: 0, Packets: 18, Dropped: 5, Waiting: 4000}, {Number: 1}, {Number: 2, Packets: 8, Dropped: 1}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if got, err := lookQueues(t.Context(), daemon{tables: new([]string)}, struct{}{}); got != nil || err != nil {
		t.Errorf("without a queue: %v, %v", got, err)
	}
}
