package lab

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// Promtool runs Prometheus's judge of its files (promtool check, promtool test) in a folder.
func Promtool(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(part(t, "promtool"), "usr/bin/promtool"), args...)
	cmd.Dir = dir
	return nstest.Output(cmd)
}
