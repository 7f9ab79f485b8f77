package referee_test

import (
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
)

// macsecDir is where a guest has the two ends of testdata/good/macsec: of each its spec, what IfState gets, the
// firewall, the script before wpa_supplicant, its arguments, and the file of the key.
const macsecDir = "/macsec/"

// wanMACs and bridgeMACs are the MAC addresses at the two ends of the cable.
var (
	wanMACs    = map[string]string{"house": "02:00:00:00:00:20", "barn": "02:00:00:00:00:10"}
	bridgeMACs = map[string]string{"house": "02:00:00:00:00:22", "barn": "02:00:00:00:00:12"}
)

// macsecFiles are the house, as the spec is, and the barn at the other end of the cable.
func macsecFiles(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/good/macsec/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	swap := strings.NewReplacer("10.255.0.1/", "10.255.0.2/", `"10.255.0.2"`, `"10.255.0.1"`, "60::1/", "60::2/",
		"192.168.20.", "192.168.10.", "192.168.10.", "192.168.20.", "priority      = 16", "priority      = 32")
	files := map[string]string{}
	for name, spec := range map[string]string{"house": string(text), "barn": swap.Replace(string(text))} {
		// IfState would give both ends the same addresses, since they are on one machine.
		spec = strings.Replace(spec, "  ports = [macsec.sec0]", "  mac   = \""+bridgeMACs[name]+"\"\n  ports = [macsec.sec0]", 1)
		spec += "\nport \"wan\" {\n  cloned_mac = \"" + wanMACs[name] + "\"\n}\n"
		g, dir := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(spec)}}), macsecDir+name+"/"
		unit := func(path ...string) string {
			return g.text(t, append([]string{"systemd", "services", "nbr-macsec-sec0"}, path...)...)
		}
		apart := strings.NewReplacer("/run/nbr-macsec-sec0", "/run/nbr-macsec-barn")
		if name == "house" { // nbr verify asks there
			apart = strings.NewReplacer()
		}
		_, args, _ := strings.Cut(unit("serviceConfig", "ExecStart"), " ")
		maps.Copy(files, map[string]string{
			dir + "spec/router.hcl": write(t, spec),
			dir + "ifstate":         write(t, toJSON(t, onVeths(t, g))),
			dir + "rules":           write(t, ruleset(t, g)),
			dir + "stage":           write(t, apart.Replace(unit("preStart"))),
			dir + "args":            write(t, apart.Replace(args)),
			dir + "cak":             write(t, "00112233445566778899aabbccddeeff\n"),
		})
	}
	files["/var/lib/secrets/barn"] = files[macsecDir+"house/cak"] // nbr verify looks there
	maps.Copy(files, lab.Tools(t, "/usr/sbin/wpa_supplicant", "/usr/bin/ping"))
	return files
}
