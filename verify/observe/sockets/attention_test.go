package sockets

import (
	"strings"
	"testing"
)

// A thread that sleeps or has run for long enough has nothing left to say; one that is
// stopped, waits for a disk or for a processor may have.
func TestThreadsThatAreDone(t *testing.T) {
	for _, tt := range []struct {
		stat  string
		since uint64
		done  bool
		err   string
	}{
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, true, ""},
		{"7 (kresd) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 33, false, ""},
		{"7 (kresd) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 32, true, ""},
		{"7 (kresd) T 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) D 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) Z 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, true, ""},
		{"7 (a) S (b) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30", 42, false, "too short"},
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30 -1", 42, false, "time"},
		{"", 0, false, "too short"},
	} {
		th, err := parseThread([]byte(tt.stat))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %s", tt.stat, err, tt.err)
			}
		} else if err != nil || th.done(tt.since) != tt.done {
			t.Errorf("%s, since %d: done is %t (%v)", tt.stat, tt.since, th.done(tt.since), err)
		}
	}
}
