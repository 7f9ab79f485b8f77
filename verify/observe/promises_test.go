package observe

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/verify/state"
)

// What journald was told is what all of its files come to.
func TestJournal(t *testing.T) {
	dir := looktest.Folder(t, map[string]string{
		"etc/systemd/journald.conf":              "SystemMaxUse=1\n[Journal]\nStorage=persistent\n# SystemMaxUse=2\nSystemMaxUse = 256M\nMaxRetentionSec=7day\nCompress=yes\n[Other]\nSystemMaxUse=3\n",
		"usr/lib/systemd/journald.conf":          "[Journal]\nStorage=none\nSeal=no\n",
		"usr/lib/systemd/journald.conf.d/a.conf": "[Journal]\nMaxFileSec=1week\nMaxRetentionSec=1year\n",
		"run/systemd/journald.conf.d/b.conf":     "[Journal]\nMaxFileSec=1month\n",
		"etc/systemd/journald.conf.d/b.conf":     "[Journal]\nMaxFileSec=1day\n",
		"etc/systemd/journald.conf.d/c.conf":     "[Journal]\nCompress=\n",
		"etc/systemd/journald.conf.d/d.txt":      "[Journal]\nStorage=volatile\n",
		"var/log/journal/1/system.journal":       strings.Repeat("x", 1<<20),
		"run/log/journal/1/system.journal":       strings.Repeat("x", 1<<20),
	})
	st := look(t.Context(), Options{Root: dir}, only("journal"))
	if st.Journal == nil {
		t.Fatal(st.Missed)
	}
	want := map[string]string{"Storage": "persistent", "SystemMaxUse": "256M", "MaxRetentionSec": "1year", "MaxFileSec": "1day"}
	if d := cmp.Diff(want, st.Journal.Settings); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := st.Journal.Bytes; n < 2<<20 || n > 3<<20 {
		t.Errorf("two files of 1 MiB take %d bytes", n)
	}
	// It has no configuration, and it has written nothing.
	st = look(t.Context(), Options{Root: t.TempDir()}, only("journal"))
	if d := cmp.Diff(&state.Journal{Settings: map[string]string{}}, st.Journal); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

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
	st := look(t.Context(), Options{Root: t.TempDir()}, only("watchdog"))
	if st.Watchdog != nil || st.Missed["watchdog"] == "" {
		t.Errorf("%v, %v", st.Watchdog, st.Missed)
	}
}
