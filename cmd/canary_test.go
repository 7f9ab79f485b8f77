package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// canary is a key as wg genkey prints one; it looks like what people paste by mistake.
const canary = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

// secretFields are the arguments of the language that want a secret, as TYPE.ARGUMENT,
// with a block in which the secret itself was written.
var secretFields = map[string]string{
	"wireguard.private_key":        "wireguard \"wg0\" {\n  private_key = %s\n}\n",
	"wireguard.peer.preshared_key": "secret \"k\" {\n  path = \"/run/k\"\n}\n\nwireguard \"wg0\" {\n  private_key = secret.k\n\n  peer \"a\" {\n    public_key    = \"X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=\"\n    preshared_key = %s\n    allowed_ips   = [\"10.8.0.2/32\"]\n  }\n}\n",
	"user.hashed_password_file":    "user \"root\" {\n  hashed_password_file = %s\n}\n",
	"bgp.neighbor.password":        "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nbgp {\n  as        = 65001\n  router_id = \"10.0.0.1\"\n\n  neighbor \"a\" {\n    address   = \"10.0.0.2\"\n    remote_as = 65001\n    password  = %s\n  }\n}\n",
	"bgp_group.password":           "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nbgp_group \"all\" {\n  remote_as = 65001\n  password  = %s\n}\n\nbgp {\n  as        = 65001\n  router_id = \"10.0.0.1\"\n\n  neighbor \"a\" {\n    address = \"10.0.0.2\"\n    group   = bgp_group.all\n  }\n}\n",
	"rip.password":                 "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nrip {\n  networks = [network.lan]\n  password = %s\n}\n",
	"ospf.area.password":           "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nospf {\n  router_id = \"10.0.0.1\"\n\n  area \"0\" {\n    networks = [network.lan]\n    password = %s\n  }\n}\n",
	"pppoe.password":               "pppoe \"ppp0\" {\n  link     = port.wan\n  user     = \"anna\"\n  password = %s\n}\n",
	"resolver.tls.key":             "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nresolver {\n  networks = [network.lan]\n\n  tls {\n    name        = \"dns.example.org\"\n    certificate = \"/var/lib/dns.pem\"\n    key         = %s\n  }\n}\n",
	"dns_peer.key":                 "dns_peer \"a\" {\n  addresses = [\"192.0.2.53\"]\n  key       = %s\n}\n",
	"snmp.user.authentication":     "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nsnmp {\n  networks = [network.lan]\n\n  user \"a\" {\n    authentication = %s\n    privacy        = secret.k\n    view           = [\"1.3\"]\n  }\n}\n",
	"snmp.user.privacy":            "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nsnmp {\n  networks = [network.lan]\n\n  user \"a\" {\n    authentication = secret.k\n    privacy        = %s\n    view           = [\"1.3\"]\n  }\n}\n",
	"radius.key":                   "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nradius {\n  networks    = [network.lan]\n  certificate = \"/var/lib/radius.pem\"\n  key         = %s\n\n  client \"a\" {\n    addresses = [\"10.0.0.5/32\"]\n    secret    = secret.k\n  }\n\n  user \"anna\" {\n    password = secret.k\n  }\n}\n",
	"radius.client.secret":         "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nradius {\n  networks    = [network.lan]\n  certificate = \"/var/lib/radius.pem\"\n  key         = secret.k\n\n  client \"a\" {\n    addresses = [\"10.0.0.5/32\"]\n    secret    = %s\n  }\n\n  user \"anna\" {\n    password = secret.k\n  }\n}\n",
	"radius_server.secret":         "radius_server \"a\" {\n  address = \"10.0.0.9\"\n  secret  = %s\n}\n",
	"radius.user.password":         "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nradius {\n  networks    = [network.lan]\n  certificate = \"/var/lib/radius.pem\"\n  key         = secret.k\n\n  client \"a\" {\n    addresses = [\"10.0.0.5/32\"]\n    secret    = secret.k\n  }\n\n  user \"anna\" {\n    password = %s\n  }\n}\n",
	"pbx.extension.password":       "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\npbx {\n  networks = [network.lan]\n\n  extension \"anna\" {\n    number   = \"11\"\n    password = %s\n  }\n}\n",
	"pbx.trunk.password":           "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nnetwork \"wan\" {\n  link = port.wan\n  ipv4 = \"dhcp\"\n}\n\npbx {\n  networks = [network.lan]\n\n  trunk \"provider\" {\n    network  = network.wan\n    server   = \"sip.example.net\"\n    user     = \"030\"\n    password = %s\n    to       = \"anna\"\n  }\n}\n",
	"mqtt.user.password":           "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nmqtt {\n  networks = [network.lan]\n\n  user \"a\" {\n    password  = %s\n    readwrite = [\"#\"]\n  }\n}\n",
	"mqtt.tls.key":                 "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nmqtt {\n  networks = [network.lan]\n\n  tls {\n    name        = \"mqtt.example.org\"\n    certificate = \"/var/lib/mqtt.pem\"\n    key         = %s\n  }\n\n  user \"a\" {\n    password  = secret.k\n    readwrite = [\"#\"]\n  }\n}\n",
	"zigbee.network_key":           "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nzigbee {\n  port            = \"/dev/serial/by-id/usb-a\"\n  adapter         = \"ember\"\n  channel         = 11\n  pan_id          = \"0x4f2a\"\n  extended_pan_id = \"0x9c1f5d2e8a7b3046\"\n  network_key     = %s\n  password        = secret.k\n}\n",
	"zigbee.password":              "network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nsecret \"k\" {\n  path = \"/run/k\"\n}\n\nzigbee {\n  port            = \"/dev/serial/by-id/usb-a\"\n  adapter         = \"ember\"\n  channel         = 11\n  pan_id          = \"0x4f2a\"\n  extended_pan_id = \"0x9c1f5d2e8a7b3046\"\n  network_key     = secret.k\n  password        = %s\n}\n",
	"wifi.ssid.password":           "port \"wlp1s0\" {}\n\nbridge \"b\" {}\n\nnetwork \"lan\" {\n  link = bridge.b\n  ipv4 = \"10.0.0.1/24\"\n}\n\nwifi \"a\" {\n  radio   = port.wlp1s0\n  country = \"DE\"\n  band    = \"2.4GHz\"\n\n  ssid \"A\" {\n    network  = network.lan\n    password = %s\n  }\n}\n",
	"ipsec.psk":                    "network \"wan\" {\n  link = port.wan\n  ipv4 = \"192.0.2.2/24\"\n}\n\nxfrm \"ipsec0\" {\n  if_id   = 1\n  network = network.wan\n}\n\nipsec \"a\" {\n  link           = xfrm.ipsec0\n  remote         = \"192.0.2.1\"\n  local_id       = \"a.example.org\"\n  remote_id      = \"b.example.org\"\n  local_subnets  = [\"10.0.0.0/24\"]\n  remote_subnets = [\"10.0.1.0/24\"]\n  psk            = %s\n}\n",
	"ipsec.key":                    "network \"wan\" {\n  link = port.wan\n  ipv4 = \"192.0.2.2/24\"\n}\n\nxfrm \"ipsec0\" {\n  if_id   = 1\n  network = network.wan\n}\n\nipsec \"a\" {\n  link           = xfrm.ipsec0\n  remote         = \"192.0.2.1\"\n  local_id       = \"a.example.org\"\n  remote_id      = \"b.example.org\"\n  local_subnets  = [\"10.0.0.0/24\"]\n  remote_subnets = [\"10.0.1.0/24\"]\n  certificate    = \"/var/lib/ipsec/a.pem\"\n  ca             = \"/var/lib/ipsec/ca.pem\"\n  key            = %s\n}\n",
	// A hash may be there; a password may not.
	"user.hashed_password": "user \"root\" {\n  hashed_password = %s\n}\n",
}

// findSecretFields lists them from the structs of all blocks, so that a new one has to
// be added above.
func findSecretFields() map[string]bool {
	found := map[string]bool{}
	var walk func(path string, t reflect.Type)
	walk = func(path string, t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(t) {
			name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
			switch {
			case f.Type == reflect.TypeFor[conf.Ref[*router.Secret]](), f.Type == reflect.TypeFor[conf.Value[router.PasswordHash]]():
				found[path+"."+name] = true
			case kind == "block":
				walk(path+"."+name, f.Type)
			}
		}
	}
	for _, t := range (&service.Registry{Kinds: all.Kinds()}).Types() {
		walk(t.Type, reflect.TypeOf(t.New()))
	}
	return found
}

// A secret that is written into a spec is in nothing that nbr prints or writes, in
// no form, and nothing is generated.
func TestCanary(t *testing.T) {
	found := findSecretFields()
	for f := range found {
		if secretFields[f] == "" {
			t.Errorf("no spec feeds a canary to %s", f)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(canary)
	if err != nil {
		t.Fatal(err)
	}
	forms := [][]byte{
		[]byte(canary), raw, []byte(hex.EncodeToString(raw)), []byte(hex.EncodeToString([]byte(canary))),
		[]byte(base64.StdEncoding.EncodeToString([]byte(canary)))[:40], []byte(base64.URLEncoding.EncodeToString(raw)[:40]),
	}
	for field, block := range secretFields {
		if !found[field] {
			t.Errorf("the language has no %s", field)
		}
		for form, value := range map[string]string{
			"text":     fmt.Sprintf("%q", canary),
			"heredoc":  "<<EOT\n" + canary + "\nEOT\n",
			"function": fmt.Sprintf("trimspace(%q)", " "+canary),
			"local":    "local.k",
			"variable": "var.k",
		} {
			t.Run(field+"/"+form, func(t *testing.T) {
				dir := t.TempDir()
				src := "router \"r\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"4GiB\"\n  state_version = \"25.11\"\n  console_only  = true\n}\n\n" + fmt.Sprintf(block, value)
				vars := []string{}
				switch form {
				case "local":
					src += fmt.Sprintf("\nlocals {\n  k = %q\n}\n", canary)
				case "variable":
					src += "\nvariable \"k\" {\n  type = string\n}\n"
					vars = []string{"-var", "k=" + canary}
				}
				spec := filepath.Join(dir, "spec")
				if err := os.Mkdir(spec, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(spec, "router.hcl"), []byte(src), 0o644); err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(dir, "out")
				var said bytes.Buffer
				for _, args := range [][]string{
					{"check"},
					{"check", "-format", "json"},
					{"check", "-format", "github"},
					{"gen", "-o", out},
					{"gen", "-diff", "-o", out},
					{"verify", "-plan"},
					{"observe"},
					{"patch"},
				} {
					args = append(append(args, vars...), spec)
					if code := Run(t.Context(), Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Source: nbr.Source()}, args, all.Kinds()...); code != ExitSpec {
						t.Errorf("%q: exit code %d", args[0], code)
					}
				}
				if _, err := os.Stat(out); err == nil {
					_ = filepath.WalkDir(out, func(p string, d fs.DirEntry, err error) error {
						if err == nil && !d.IsDir() {
							t.Errorf("%s was written", p)
						}
						return err
					})
				}
				said.Write(editing(t, spec, src, vars))
				for i, form := range forms {
					if bytes.Contains(said.Bytes(), form) {
						t.Errorf("form %d of the secret is in the output:\n%s", i, said.Bytes())
					}
				}
			})
		}
	}
}
