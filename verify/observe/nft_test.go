package observe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

func TestNoNFT(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	root := t.TempDir()
	need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
	st := look(t.Context(), Options{Root: root, Needs: []state.Need{need}}, only("tables rulesets"))
	for _, part := range []string{"tables", "rulesets"} {
		if !strings.Contains(st.Missed[part], "not found in PATH or /run/current-system/sw/bin") {
			t.Errorf("%s: %v", part, st.Missed[part])
		}
	}
	// One that says too much, and one that does not end.
	dir := filepath.Join(root, "run/current-system/sw/bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for script, why := range map[string]string{
		"#!/bin/sh\nexec /bin/cat /dev/zero\n":         "more than 67108864 bytes",
		"#!/bin/sh\necho '{}'\n":                       `no "nftables"`,
		"#!/bin/sh\necho first >&2; echo 2>&2; exit 3": "exit status 3: first",
	} {
		if err := nstest.WriteFile(dir+"/nft", []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		if st := look(t.Context(), Options{Root: root}, only("tables")); st.Tables != nil || !strings.Contains(st.Missed["tables"], why) {
			t.Errorf("%q: %v", script, st.Missed["tables"])
		}
	}
}
