package referee_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service/all"
)

// sitesDir is where a guest has the two sites: of each its spec, the files of its secrets, what
// IfState gets, the firewall and the script of nbr-endpoints-sites.service; and the configuration
// that nbr wg client prints for the phone.
const sitesDir = "/sites/"

// keyPair makes a key of WireGuard and the public one of it.
func keyPair(t *testing.T) (private, public string) {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw := k.Bytes()
	raw[0] &= 248 // as wg genkey has it: IfState compares keys with the kernel's, which does this
	raw[31] = raw[31]&127 | 64
	return base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(k.PublicKey().Bytes())
}

// siteFiles are the two routers of testdata/routers whose private keys the test knows, for a
// guest.
func siteFiles(t *testing.T) map[string]string {
	t.Helper()
	public := func(spec fstest.MapFS, block string) string {
		_, rest, _ := strings.Cut(string(spec["router.hcl"].Data)+string(spec["sites.hcl"].Data), block)
		_, rest, _ = strings.Cut(rest, "key ")
		return strings.Split(rest, `"`)[1]
	}
	specs := map[string]fstest.MapFS{}
	for _, site := range []string{"berlin", "hamburg"} {
		specs[site] = fstest.MapFS{}
		for _, name := range []string{"router.hcl", "sites.hcl"} {
			b, err := os.ReadFile(filepath.Join("../../testdata/routers/site-"+site, name))
			if err != nil {
				t.Fatal(err)
			}
			specs[site][name] = &fstest.MapFile{Data: b}
		}
	}
	shared, _ := keyPair(t)
	phone, phonePublic := keyPair(t)
	secrets := map[string]string{"berlin/shared": shared, "hamburg/shared": shared}
	replace := []string{public(specs["berlin"], `peer "phone"`), phonePublic, "bananapi-bpir3\"", "bananapi-bpir4\"\n  memory = \"4GiB\""}
	for name, block := range map[string]string{"berlin/sites": "berlin = {", "hamburg/sites": "hamburg = {", "berlin/people": `wireguard "people"`} {
		site, _, _ := strings.Cut(name, "/")
		var key string
		secrets[name], key = keyPair(t)
		replace = append(replace, public(specs[site], block), key)
	}

	files := map[string]string{}
	for site, spec := range specs {
		dir := t.TempDir()
		for name, f := range spec {
			text := strings.NewReplacer(append(replace, "/var/lib/secrets/", sitesDir+site+"/secrets/")...).Replace(string(f.Data))
			spec[name] = &fstest.MapFile{Data: []byte(text)}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			files[sitesDir+site+"/spec/"+name] = filepath.Join(dir, name)
		}
		g := generate(t, spec)
		maps.Copy(files, map[string]string{
			sitesDir + site + "/ifstate":   write(t, ifstateYAML(t, onVeths(t, g), sitesDir+site)),
			sitesDir + site + "/rules":     write(t, ruleset(t, g)),
			sitesDir + site + "/endpoints": write(t, "set -e\n"+g.text(t, "systemd", "services", "nbr-endpoints-sites", "script")),
		})
		for name, key := range secrets {
			if of, what, _ := strings.Cut(name, "/"); of == site {
				files[sitesDir+site+"/secrets/"+what] = write(t, key+"\n")
				files[sitesDir+site+"/nbr/secrets/"+what] = write(t, key+"\n") // as ifstate.service stages it
			}
		}
		if site == "berlin" {
			key := write(t, phone+"\n")
			var stdout, stderr bytes.Buffer
			args := []string{"wg", "client", "-private-key", key, "phone", dir}
			if code := cmd.Run(t.Context(), cmd.Env{Stdout: &stdout, Stderr: &stderr}, args, all.Kinds()...); code != 0 || stderr.Len() > 0 {
				t.Fatalf("nbr wg client: exit code %d: %s", code, &stderr)
			}
			files[sitesDir+"phone/split.conf"] = write(t, stdout.String())
		}
	}
	files["/etc/resolv.conf"] = write(t, "nameserver 198.51.100.53\noptions timeout:3 attempts:2\n")
	// What wg-quick tells name servers to is another package's.
	files["/usr/bin/resolvconf"] = executable(t, "#!/bin/sh\n[ \"$1\" != -a ] || cat >/run/resolvconf\n")
	maps.Copy(files, lab.Tools(t, "/usr/bin/wg", "/usr/bin/wg-quick", "/usr/bin/bash", "/usr/bin/getent", "/usr/bin/ping", "/usr/bin/sleep",
		"/usr/bin/readlink", "/usr/bin/stat", "/usr/bin/sort", "/usr/sbin/sysctl"))
	files["/bin/bash"] = files["/usr/bin/bash"]
	return files
}
