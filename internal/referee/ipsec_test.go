package referee_test

import (
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
)

// ipsecDir is where a guest has the two ends of testdata/good/ipsec: of each its spec, what IfState gets,
// the firewall, the configuration of charon and the script before its start.
const ipsecDir = "/ipsec/"

// ipsecFiles are hamburg, as the spec is, and berlin, which is the other end of it.
func ipsecFiles(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/good/ipsec/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	swap := strings.NewReplacer("hamburg", "berlin", "berlin", "hamburg", "198.51.100.2/24", "198.51.100.1/24", `"198.51.100.1"`, `"198.51.100.2"`,
		"192.168.20.", "192.168.10.", "192.168.10.", "192.168.20.", "10.255.0.2/", "10.255.0.1/", "10.255.0.1/", "10.255.0.2/")
	// Hosts may go to the Internet, so that no policy keeps in what belongs in the tunnel.
	const out = "\npolicy \"out\" {\n  from   = [zone.lan, zone.berlin]\n  to     = [zone.wan]\n  action = \"accept\"\n}\n"
	text = append(text, out...)
	files := map[string]string{}
	for name, spec := range map[string]string{"hamburg": string(text), "berlin": swap.Replace(string(text))} {
		g, dir := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(spec)}}), ipsecDir+name+"/"
		option := []string{"services", "strongswan-swanctl"}
		stage := g.list(t, "systemd", "services", "strongswan-swanctl", "serviceConfig", "ExecStartPre")[0].(string)
		connections := g.list(t, append(option, "includes")...)[0].(string)
		own := "charon-systemd {\n  plugins {\n    vici {\n      socket = unix:///run/" + name + ".vici\n    }\n  }\n" +
			"  filelog {\n    test {\n      path = /run/" + name + ".log\n      flush_line = yes\n    }\n  }\n}\n"
		if name == "hamburg" { // nbr verify asks there
			own = strings.Replace(own, "hamburg.vici", "charon.vici", 1)
		}
		// What is one on each router has two places in one guest.
		apart := strings.NewReplacer("/run/nbr-ipsec", "/run/"+name, "/etc/swanctl", dir+"swanctl", "/var/lib/secrets/", dir)
		maps.Copy(files, map[string]string{
			dir + "spec/router.hcl":      write(t, spec),
			dir + "ifstate":              write(t, toJSON(t, onVeths(t, g))),
			dir + "rules":                write(t, ruleset(t, g)),
			dir + "strongswan.conf":      write(t, g.text(t, append(option, "strongswan", "extraConfig")...)+own),
			dir + "stage":                write(t, apart.Replace(strings.TrimPrefix(stage, "text:"))),
			dir + "swanctl/conf":         write(t, strings.TrimPrefix(connections, "text:")),
			dir + "swanctl/swanctl.conf": write(t, "include conf\ninclude /run/"+name+"/secrets.conf\n"),
			dir + "hamburg":              write(t, "the secret of both: $ \\ \"# }'\n"),
			dir + "berlin":               write(t, "the secret of both: $ \\ \"# }'\n"),
		})
	}
	programs := []string{"/usr/sbin/charon-systemd", "/usr/sbin/swanctl", "/usr/bin/mv", "/usr/bin/rm", "/usr/bin/mkdir", "/usr/bin/ln", "/usr/bin/ping"}
	for _, plugin := range strings.Fields("random drbg nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints kernel-netlink socket-default vici") {
		programs = append(programs, "/usr/lib/ipsec/plugins/libstrongswan-"+plugin+".so")
	}
	maps.Copy(files, lab.Tools(t, programs...))
	files["/var/lib/secrets/berlin"] = files[ipsecDir+"hamburg/berlin"] // nbr verify looks there
	return files
}
