package cmd_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
)

// firmware/BOARDS.md is what nbr boards -doc prints, so that it is never older than the
// data. With -update it is written.
func TestBoardsPage(t *testing.T) {
	const file = "../firmware/BOARDS.md"
	var out, errs bytes.Buffer
	if code := cmd.Run(t.Context(), cmd.Env{Stdout: &out, Stderr: &errs}, []string{"boards", "-doc"}, all.Kinds()...); code != cmd.ExitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), out.String()); d != "" {
		t.Errorf("the page is stale, write it with -update (-page +board):\n%s", d)
	}
}
