package referee_test

import (
	"os"
	"testing"
)

// dsliteDir is where a guest has what it needs to be testdata/routers/ds-lite.
const dsliteDir = "/dslite/"

func dsliteFiles(t *testing.T) map[string]string {
	t.Helper()
	const spec = "../../testdata/routers/ds-lite"
	g := generate(t, os.DirFS(spec))
	return map[string]string{
		dsliteDir + "spec/router.hcl": spec + "/router.hcl",
		dsliteDir + "links":           write(t, toJSON(t, onVeths(t, g))),
		dsliteDir + "rules":           write(t, ruleset(t, g)),
		dsliteDir + "end":             write(t, g.text(t, "systemd", "services", "nbr-tunnel-dslite", "script")),
	}
}
