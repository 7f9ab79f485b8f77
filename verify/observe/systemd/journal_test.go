package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/verify/observe/root"
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
	j, err := Journal(root.Root(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Storage": "persistent", "SystemMaxUse": "256M", "MaxRetentionSec": "1year", "MaxFileSec": "1day"}
	if d := cmp.Diff(want, j.Settings); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := j.Bytes; n < 2<<20 || n > 3<<20 {
		t.Errorf("two files of 1 MiB take %d bytes", n)
	}
	// It has no configuration, and it has written nothing.
	j, err = Journal(root.Root(t.TempDir()))
	if d := cmp.Diff(&state.Journal{Settings: map[string]string{}}, j); d != "" || err != nil {
		t.Errorf("(-want +got):\n%s", d)
	}
}
