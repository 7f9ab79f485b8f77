package suricata

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
)

// daemon is a machine with a Suricata that answers commands as the map has it, and knows no other.
type daemon struct {
	probe.Host
	answers map[string]string
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
