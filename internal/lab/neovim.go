package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// Neovim runs a script in Lua in an editor without a screen, which reads nothing of the user's, and returns what
// the script writes to standard output. dir is where it is started, path where it finds programs.
func Neovim(t testing.TB, dir, path, script string) (string, error) {
	t.Helper()
	root := part(t, "neovim")
	home := t.TempDir()
	file := filepath.Join(home, "script.lua")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "usr/bin/nvim"), "--headless", "--clean", "-n", "-l", file)
	cmd.Dir = dir
	cmd.Env = []string{
		"HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_RUNTIME_DIR=" + home,
		"PATH=" + path, "LC_ALL=C.UTF-8", "VIMRUNTIME=" + filepath.Join(root, "usr/share/nvim/runtime"),
	}
	return nstest.Output(cmd)
}
