package cmd

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/service/all"
)

// At a terminal there is no editor: nbr lsp says so, and does not wait for one.
func TestLanguageServerAtATerminal(t *testing.T) {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var out, said bytes.Buffer
	code := Run(t.Context(), Env{Stdin: terminal, Stdout: &out, Stderr: &said}, []string{"lsp"}, all.Kinds()...)
	if code != ExitUsage || out.Len() > 0 || !strings.Contains(said.String(), "editor") || !strings.Contains(said.String(), "docs/editors.md") {
		t.Errorf("exit code %d, %q, %q", code, out.String(), said.String())
	}
}
