package referee_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// vpnDir is where a guest has what it needs to be testdata/good/vpn-provider, and the provider's
// private key.
const vpnDir = "/vpn/"

func vpnFiles(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/good/vpn-provider/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	private, _ := keyPair(t)
	provider, public := keyPair(t)
	_, rest, _ := strings.Cut(string(text), `public_key  = "`)
	written, _, _ := strings.Cut(rest, `"`)
	spec := strings.NewReplacer(written, public, "/var/lib/secrets/", vpnDir).Replace(string(text))
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(spec)}})
	return map[string]string{
		vpnDir + "links":           write(t, ifstateYAML(t, onVeths(t, g), strings.TrimSuffix(vpnDir, "/"))),
		vpnDir + "rules":           write(t, ruleset(t, g)),
		vpnDir + "nbr/secrets/vpn": write(t, private+"\n"), // as ifstate.service stages it
		vpnDir + "provider":        write(t, provider+"\n"),
	}
}
