package cmd_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
)

// A port has no end: Ctrl-C ends the log, and what was read until then is told.
func TestBootlogInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	port, board := io.Pipe()
	go func() {
		io.WriteString(board, "F0: 102B 0000\nEC: 0000 0000 [2000]\nSystem halt!\n")
		io.WriteString(board, "T") // returns when all before it was read
		stop()
	}()
	var stdout, stderr strings.Builder
	code := cmd.Run(ctx, cmd.Env{Stdin: port, Stdout: &stdout, Stderr: &stderr}, []string{"bootlog", "-"}, all.Kinds()...)
	if code != cmd.ExitFailed || !strings.Contains(stdout.String(), "STOP rom-halt, line 3") {
		t.Errorf("exit code %d\n%s", code, &stdout)
	}
	if want := "nbr: interrupted; this is what was read until then\n"; stderr.String() != want {
		t.Errorf("stderr %q, want %q", &stderr, want)
	}
}
