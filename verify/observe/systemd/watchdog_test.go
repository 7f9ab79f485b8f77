package systemd

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

func TestWatchdogProperties(t *testing.T) {
	for _, tt := range []struct {
		usec, device string
		want         state.Watchdog
		wrong        bool
	}{
		{"@t 30000000", `"/dev/watchdog0"`, state.Watchdog{Runtime: 30e6, Device: "/dev/watchdog0"}, false},
		{"@t 0", `""`, state.Watchdog{}, false},
		{"@t 18446744073709551615", `""`, state.Watchdog{}, false},
		{"30s", `""`, state.Watchdog{}, true},
		{"@t 1", `/dev/watchdog0`, state.Watchdog{Runtime: 1}, true},
	} {
		var w state.Watchdog
		err := convertWatchdog(&w, func(property string) (string, error) {
			return map[string]string{"RuntimeWatchdogUSec": tt.usec, "WatchdogDevice": tt.device}[property], nil
		})
		if (err != nil) != tt.wrong || err == nil && !cmp.Equal(tt.want, w) {
			t.Errorf("%s, %s: %+v, %v", tt.usec, tt.device, w, err)
		}
	}
	if err := convertWatchdog(&state.Watchdog{}, func(string) (string, error) { return "", errors.New("no such property") }); err == nil {
		t.Error("systemd does not answer, and nothing is said")
	}
	// Without a bus nothing was seen.
	if w, err := Watchdog(t.Context(), root.Root(t.TempDir())); w != nil || err == nil {
		t.Errorf("%v, %v", w, err)
	}
}
