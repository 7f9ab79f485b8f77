package referee_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const radiusSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}
network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["radius"]
}
zone "guests" {
  networks = [network.guests]
  allow    = ["ping"]
}
secret "key" { path = "/var/lib/secrets/key" }
secret "ap" { path = "/var/lib/secrets/ap" }
secret "switch" { path = "/var/lib/secrets/switch" }
secret "anna" { path = "/var/lib/secrets/anna" }
secret "bob" { path = "/var/lib/secrets/bob" }

radius {
  networks    = [network.lan]
  certificate = "/var/lib/radius/server.pem"
  key         = secret.key
  ca          = "/var/lib/radius/ca.pem"

  client "ap" {
    addresses = ["192.168.1.5/32", "fd00:1::5/128"]
    secret    = secret.ap
  }
  client "switches" {
    addresses = ["192.168.1.64/28"]
    secret    = secret.switch
  }
  user "anna" {
    password = secret.anna
    vlan     = 30
  }
  user "bob@example.org" {
    password    = secret.bob
    certificate = true
  }
  user "laptop" {
    certificate = true
    vlan        = 20
  }
}
`

// The secrets have what FreeRADIUS' files and shells read as their own: all of printable ASCII.
const (
	apSecret     = "0x !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ${dollar}%{User-Name}$ENV{HOME} \\n\\\\x"
	switchSecret = "0x6162636465666768"
	annaPassword = "'\"#$%{User-Name}${prefix}&()*+,-./:;<=>?@[\\]^_`{|}~ !\\n\\101 \\"
	bobPassword  = "$$%%x''\"\"0"
)

// A radiusHouse is a router with an access point and a guest.
type radiusHouse struct {
	router, ap, guest *nstest.NS
	root              *lab.Root
	config, script    string
	daemon            *lab.Daemon
}

// radiusUser is the number of the user of the unit.
const radiusUser = "61235"

// An authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func certificateOf(t *testing.T, name string, of *authority, days int) (a *authority, cert, key string) {
	t.Helper()
	a = &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, days),
		BasicConstraintsValid: true, IsCA: of == nil, DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if of == nil {
		c.ExtKeyUsage, c.DNSNames, c.KeyUsage = nil, nil, x509.KeyUsageCertSign
		of = &authority{c, a.key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, of.cert, &a.key.PublicKey, of.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	bits, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return a, block("CERTIFICATE", der), block("PRIVATE KEY", bits)
}

func newRADIUSHouse(t *testing.T) *radiusHouse {
	t.Helper()
	g := fromText(t, radiusSpec)
	h := &radiusHouse{router: nstest.New(t, "router"), ap: nstest.New(t, "ap"), guest: nstest.New(t, "guest")}
	h.config = strings.TrimPrefix(g.text(t, "services", "freeradius", "configDir"), "text:")
	h.script = strings.TrimPrefix(g.list(t, "systemd", "services", "freeradius", "serviceConfig", "ExecStartPre")[0].(string), "+text:")
	nstest.Link(t, h.router, "lan1", h.ap, "eth0")
	nstest.Link(t, h.router, "lan2", h.guest, "eth0")
	load(t, h.router, ruleset(t, g))
	sysctls(t, h.router, g)
	ip(t, h.router, "addr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 192.168.2.1/24 dev lan2\n")
	ip(t, h.ap, "addr add 192.168.1.5/24 dev eth0\naddr add fd00:1::5/64 dev eth0 nodad\naddr add 192.168.1.70/24 dev eth0\naddr add 192.168.1.9/24 dev eth0\n")
	ip(t, h.guest, "addr add 192.168.2.5/24 dev eth0\nroute add default via 192.168.2.1\n")
	ca, caPEM, _ := certificateOf(t, "house", nil, 90)
	other, otherPEM, _ := certificateOf(t, "other house", nil, 90)
	_, samePEM, _ := certificateOf(t, "house", nil, 90)
	files := lab.Files{
		"/etc/nbr/spec/router.hcl": strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1) + radiusSpec,
		"/var/lib/secrets/ap":      apSecret + "\nmore\n",
		"/var/lib/secrets/switch":  switchSecret,
		"/var/lib/secrets/anna":    annaPassword + "\n",
		"/var/lib/secrets/bob":     bobPassword + "\n",
		"/var/lib/radius/ca.pem":   caPEM,
		"/other/ca.pem":            otherPEM,
		"/other/same.pem":          samePEM,
		"/etc/stage.sh":            h.script,
	}
	for _, c := range []struct {
		name, file string
		of         *authority
		days       int
	}{
		{"radius.example.org", "server", ca, 90},
		{"radius.example.org", "soon", ca, 9},
		{"laptop", "laptop", ca, 90},
		{"bob@example.org", "bob", ca, 90},
		{"anna", "anna", ca, 90},
		{"visitor", "stranger", ca, 90},
		{"laptop", "foreign", other, 90},
	} {
		_, cert, key := certificateOf(t, c.name, c.of, c.days)
		files["/devices/"+c.file+".pem"], files["/devices/"+c.file+".key"] = cert, key
	}
	files["/var/lib/radius/server.pem"], files["/var/lib/secrets/key"] = files["/devices/server.pem"], files["/devices/server.key"]
	h.root = lab.Rootfs(t, files)
	installNBR(t, h.root, "/usr/bin/nbr")
	return h
}

// debianPaths puts Debian's paths in the place of those of NixOS.
var debianPaths = strings.NewReplacer("prefix = /nix/store/freeradius\n", "prefix = /usr\n", "libdir = ${prefix}/lib\n", "libdir = ${prefix}/lib/freeradius\n")

// stage does what the unit does before FreeRADIUS starts, and has what is said then.
func (h *radiusHouse) stage(t *testing.T, script string) string {
	t.Helper()
	h.root.Run(t, h.router, "rm", "-rf", "/run/freeradius")
	h.root.Run(t, h.router, "install", "-d", "-m", "0700", "-o", radiusUser, "-g", radiusUser, "/run/freeradius")
	h.root.Write(t, "/etc/stage.sh", script)
	said, err := h.root.Command(t, h.router, "bash", "/etc/stage.sh").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return string(said)
}

// as runs a program as the unit's own user.
func (h *radiusHouse) as(args ...string) []string {
	return append([]string{
		"env", "-i", "PATH=/usr/bin:/usr/sbin", "setpriv", "--reuid", radiusUser, "--regid", radiusUser, "--clear-groups",
		"--inh-caps", "-all", "--bounding-set", "-all", "--no-new-privs",
	}, args...)
}

// start starts FreeRADIUS with a configuration, as the module of NixOS does.
func (h *radiusHouse) start(t *testing.T, config string) {
	t.Helper()
	h.root.Write(t, "/etc/raddb/radiusd.conf", debianPaths.Replace(config))
	h.root.Run(t, h.router, h.as("freeradius", "-C", "-d", "/etc/raddb", "-l", "stdout")...)
	h.daemon = h.root.Daemon(t, h.router, h.as("freeradius", "-f", "-d", "/etc/raddb", "-l", "stdout")...)
}

func (h *radiusHouse) restart(t *testing.T, script, config string) {
	t.Helper()
	h.daemon.Stop(t)
	h.stage(t, script)
	h.start(t, config)
}

// peap and byCertificate are what a device is told of the network (wpa_supplicant.conf(5)).
func peap(identity, password string) string {
	return fmt.Sprintf("eap=PEAP\nanonymous_identity=\"anonymous\"\nidentity=%x\npassword=%s\nphase2=\"auth=MSCHAPV2\"", identity, hex.EncodeToString([]byte(password)))
}

func byCertificate(file string) string {
	return fmt.Sprintf("eap=TLS\nidentity=\"device\"\nclient_cert=\"/devices/%[1]s.pem\"\nprivate_key=\"/devices/%[1]s.key\"", file)
}

// join has a device ask to be let in, by way of a client, and tells the VLAN.
func (h *radiusHouse) join(t *testing.T, from *nstest.NS, source, server, secret, device string) string {
	t.Helper()
	h.root.Write(t, "/device.conf", "network={\nkey_mgmt=WPA-EAP\nca_cert=\"/var/lib/radius/ca.pem\"\n"+device+"\n}\n")
	out, err := h.root.Try(t, from, "eapol_test", "-c", "/device.conf", "-A", source, "-a", server, "-p", "1812", "-s", secret, "-r", "0", "-t", "5")
	if err != nil {
		out += err.Error()
	}
	vlan := " without VLAN"
	if _, after, ok := strings.Cut(out, "Attribute 81 (Tunnel-Private-Group-Id) length=4\n      Value: "); ok {
		b, err := hex.DecodeString(after[:4])
		if err != nil {
			t.Fatal(err)
		}
		vlan = " to VLAN " + string(b)
	}
	switch {
	case strings.HasSuffix(strings.TrimSpace(out), "SUCCESS"):
		return "accepted" + vlan
	case strings.Contains(out, "code=3 (Access-Reject)"):
		return "rejected"
	case !strings.Contains(out, "Received RADIUS message"):
		return "no answer"
	case strings.HasSuffix(strings.TrimSpace(out), "FAILURE"), strings.Contains(out, "\nFAILURE\n"):
		return "given up"
	}
	return out
}

// Access points ask for people and devices: who has a password or a certificate gets in, into its VLAN, and no
// other; what is no client gets no answer.
func TestWhoMayIntoTheNetwork(t *testing.T) {
	t.Parallel()
	h := newRADIUSHouse(t)
	if said := h.stage(t, h.script); said != "" {
		t.Errorf("staging says %s", said)
	}
	h.start(t, h.config)
	wrong := func() []string { return unmet(t, h.root, h.router, "radius") }
	becomes(t, wrong, nil)

	const at = "192.168.1.1"
	for _, d := range []struct {
		from                   *nstest.NS
		source, server, secret string
		device, want           string
	}{
		{h.ap, "192.168.1.5", at, apSecret, peap("anna", annaPassword), "accepted to VLAN 30"},
		{h.ap, "fd00:1::5", "fd00:1::1", apSecret, peap("anna", annaPassword), "accepted to VLAN 30"},
		{h.ap, "192.168.1.70", at, switchSecret, peap("bob@example.org", bobPassword), "accepted without VLAN"},
		{h.ap, "192.168.1.5", at, apSecret, peap("anna", bobPassword), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, peap("stranger", annaPassword), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, peap("laptop", annaPassword), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, peap("DEFAULT", annaPassword), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, strings.Replace(peap("anna", annaPassword), "MSCHAPV2", "GTC", 1), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, strings.NewReplacer("eap=PEAP", "eap=TTLS", "auth=MSCHAPV2", "auth=PAP").Replace(peap("anna", annaPassword)), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, strings.Replace(peap("anna", annaPassword), "eap=PEAP", "eap=MSCHAPV2", 1), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, byCertificate("laptop"), "accepted to VLAN 20"},
		{h.ap, "192.168.1.5", at, apSecret, byCertificate("bob"), "accepted without VLAN"},
		{h.ap, "192.168.1.5", at, apSecret, byCertificate("anna"), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, byCertificate("stranger"), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, byCertificate("foreign"), "rejected"},
		{h.ap, "192.168.1.5", at, apSecret, "phase1=\"tls_disable_tlsv1_2=1\"\n" + byCertificate("laptop"), "given up"},
		{h.ap, "192.168.1.5", at, switchSecret, byCertificate("laptop"), "no answer"},
		{h.ap, "192.168.1.9", at, apSecret, byCertificate("laptop"), "no answer"},
		{h.guest, "192.168.2.5", at, apSecret, byCertificate("laptop"), "no answer"},
		{h.guest, "192.168.2.5", "192.168.2.1", apSecret, byCertificate("laptop"), "no answer"},
	} {
		if got := h.join(t, d.from, d.source, d.server, d.secret, d.device); got != d.want {
			t.Errorf("from %s at %s with %q:\n%s\nis %s, want %s", d.source, d.server, d.secret, d.device, got, d.want)
		}
	}
	// BlastRADIUS: a rejection is signed, and a request that is not gets no answer.
	h.root.Write(t, "/secret", switchSecret)
	for _, request := range []string{"User-Name=stranger,User-Password=x", "User-Name=anna,User-Password=x,Proxy-State=0x00", "User-Name=laptop,Service-Type=Authorize-Only"} {
		h.root.Write(t, "/request", request+",Message-Authenticator=0x00,Packet-Src-IP-Address=192.168.1.70\n")
		out, err := h.root.Command(t, h.ap, "radclient", "-b", "-x", "-r", "1", "-t", "5", "-f", "/request", "-S", "/secret", at, "auth").CombinedOutput()
		if _, answer, _ := strings.Cut(string(out), "Received Access-Reject"); !strings.Contains(answer, "Message-Authenticator = 0x") {
			t.Errorf("%s: %v\n%s", request, err, out)
		}
	}
	bare := func(want func(got string) bool) (err error) {
		t.Helper()
		for _, attributes := range []string{`\001\006anna`, `\001\006anna\041\003x`} {
			const head = `printf '\001\007\000\%03o0123456789abcdef%s' | nc -u -w 3 -s 192.168.1.70 192.168.1.1 1812 | wc -c`
			n := 20 + len("..anna") + strings.Count(attributes, "x")*3
			if got := strings.TrimSpace(h.root.Run(t, h.ap, "sh", "-c", fmt.Sprintf(head, n, attributes))); !want(got) {
				err = errors.Join(err, fmt.Errorf("%s without Message-Authenticator has an answer of %s bytes", attributes, got))
			}
		}
		return err
	}
	if err := bare(func(got string) bool { return got == "0" }); err != nil {
		t.Error(err)
	}
	// Who has no password cannot keep others out by conversations that stand still.
	const many = 1100
	h.root.Write(t, "/request", strings.Repeat("User-Name=x,EAP-Message=0x020000060178,Message-Authenticator=0x00,Packet-Src-IP-Address=192.168.1.70\n\n", many))
	out, _ := h.root.Command(t, h.ap, "radclient", "-b", "-x", "-p", "32", "-r", "3", "-t", "5", "-f", "/request", "-S", "/secret", at, "auth").CombinedOutput()
	if got := strings.Count(string(out), "Received Access-Challenge"); got <= 1024 {
		t.Errorf("%d of %d conversations begin", got, many)
	}
	if got := h.join(t, h.ap, "192.168.1.5", at, apSecret, peap("anna", annaPassword)); got != "accepted to VLAN 30" {
		t.Errorf("besides %d conversations anna is %s", many, got)
	}
	for _, s := range []string{apSecret, switchSecret, annaPassword, bobPassword} {
		if strings.Contains(h.daemon.Log(), s) {
			t.Errorf("the log has %q:\n%s", s, h.daemon.Log())
		}
	}
	if log := h.daemon.Log(); strings.Contains(log, "[nbr]") || !strings.Contains(log, "Login incorrect") || !strings.Contains(log, "visitor") {
		t.Errorf("the log tells of looks, or not of those who are rejected:\n%s", log)
	}
	// The requests without Message-Authenticator get to FreeRADIUS, which answers them when it is told to.
	h.daemon.Stop(t)
	h.stage(t, strings.NewReplacer("require_message_authenticator = yes", "require_message_authenticator = no", "limit_proxy_state = yes", "limit_proxy_state = no").Replace(h.script))
	h.start(t, h.config)
	nstest.Wait(t, func() error { return bare(func(got string) bool { return got != "0" }) })
}

// What is otherwise than the spec has it is found, on its line.
func TestBrokenRADIUS(t *testing.T) {
	t.Parallel()
	h := newRADIUSHouse(t)
	h.stage(t, h.script)
	h.start(t, h.config)
	wrong := func() []string { return unmet(t, h.root, h.router, "radius") }
	becomes(t, wrong, nil)
	read := func(name string) string {
		b, err := os.ReadFile(h.root.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	// What FreeRADIUS reads is otherwise.
	for _, b := range []struct {
		in, old, new string // in is config, or a file that the script makes
		finds        []string
	}{
		{"config", "nbr = \"", "nbr = \"x", []string{"radius/configuration fail: x"}},
		{"config", "&Tunnel-Private-Group-Id := \"20\"", "&Tunnel-Private-Group-Id := \"21\"", []string{"radius/user/laptop/certificate/vlan fail: 21"}},
		{"config", "&Tunnel-Private-Group-Id := \"30\"", "&Tunnel-Private-Group-Id := \"31\"", []string{"radius/user/anna/password/vlan fail: 31"}},
		{"config", `case "laptop"`, `case "desktop"`, []string{"radius/user/laptop/certificate fail: rejected", "radius/user/laptop/certificate/vlan unknown"}},
		{"config", "ipv6addr = fd00:1::1", "ipv6addr = ::1", []string{"radius/answers/fd00:1::1 fail: no answer", "radius/listen fail: 192.168.1.1 ::1"}},
		{"config", "ipv4addr = 192.168.1.1", "ipv4addr = *", []string{"radius/listen fail: 0.0.0.0 fd00:1::1"}},
		{"clients.conf", "client nas-ap-2 {", "client other {\n  ipv4addr = 192.168.1.0/24\n  secret = testing123\n}\nclient nas-ap-2 {", []string{"radius/clients fail: 192.168.1.0/24 as well"}},
		{"clients.conf", "192.168.1.64/28", "192.168.1.96/28", []string{
			"radius/client/switches/address/192.168.1.64/28 fail: no client", "radius/client/switches/secret/192.168.1.64/28 unknown", "radius/clients fail: 192.168.1.96/28 as well",
		}},
		{"clients.conf", switchSecret, switchSecret + "x", []string{"radius/client/switches/secret/192.168.1.64/28 fail: another secret"}},
		{"clients.conf", "nas-switches-1 {\n  ipv4addr = 192.168.1.64/28\n  secret = \"" + switchSecret + "\"\n  own = no\n  require_message_authenticator = yes", "nas-switches-1 {\n  ipv4addr = 192.168.1.64/28\n  secret = \"" + switchSecret + "\"\n  own = no\n  require_message_authenticator = no", []string{
			"radius/client/switches/secret/192.168.1.64/28 fail: it may ask without Message-Authenticator",
		}},
		{"passwords", "anna Cleartext-Password := '", "anna Cleartext-Password := 'x", []string{"radius/user/anna/password fail: rejected", "radius/user/anna/password/vlan unknown"}},
		{"passwords", "bob@", "bert@", []string{"radius/user/bob@example.org/password fail: rejected", "radius/user/bob@example.org/password/vlan unknown"}},
	} {
		h.daemon.Stop(t)
		h.stage(t, h.script)
		config, broken := h.config, h.config
		if b.in != "config" {
			config = read("/run/freeradius/" + b.in)
		}
		changed := strings.Replace(config, b.old, b.new, 1)
		if changed == config {
			t.Fatalf("there is no %q in\n%s", b.old, config)
		}
		if b.in == "config" {
			broken = changed
		} else if err := os.WriteFile(h.root.Path("/run/freeradius/"+b.in), []byte(changed), 0o600); err != nil { // its owner stays
			t.Fatal(err)
		}
		h.start(t, broken)
		becomes(t, wrong, b.finds)
	}

	h.restart(t, h.script, h.config)
	becomes(t, wrong, nil)

	// The files are others than when FreeRADIUS started, and then it starts again.
	for _, b := range []struct {
		file, content string
		old, after    []string // what is found before and after
	}{
		{"/var/lib/secrets/switch", "a-new-secret-of-the-switch\n", []string{"radius/client/switches/secret/192.168.1.64/28 fail: another secret"}, nil},
		{"/var/lib/secrets/switch", "too short\n", []string{"radius/client/switches/secret/192.168.1.64/28 fail: no secret in the file"}, []string{"radius/client/switches/address/192.168.1.64/28 fail: no client", "radius/client/switches/secret/192.168.1.64/28 fail: no secret in the file"}},
		{"/var/lib/secrets/anna", "another password", []string{"radius/user/anna/password fail: rejected", "radius/user/anna/password/vlan unknown"}, nil},
		{"/var/lib/secrets/anna", " blanks around ", []string{"radius/user/anna/password fail: no password in the file", "radius/user/anna/password/vlan unknown"}, []string{"radius/user/anna/password fail: no password in the file", "radius/user/anna/password/vlan unknown"}},
		{"/var/lib/radius/ca.pem", read("/other/ca.pem"), []string{"radius/ca fail: another authority than that of the file"}, nil},
		{"/var/lib/radius/ca.pem", read("/other/same.pem"), []string{"radius/ca fail: another authority than that of the file"}, nil},
		{"/var/lib/radius/ca.pem", read("/devices/laptop.key") + read("/var/lib/radius/ca.pem"), []string{"radius/ca fail: another authority than that of the file"}, nil},
		{"/var/lib/radius/server.pem", read("/devices/laptop.key") + read("/var/lib/radius/server.pem"), []string{}, nil},
		{"/var/lib/radius/server.pem", read("/devices/soon.pem"), []string{"radius/certificate fail: another certificate than that of the file", "radius/key fail: is another one"}, nil},
	} {
		original := read(b.file)
		h.root.Write(t, b.file, b.content)
		if b.old != nil {
			becomes(t, wrong, b.old)
		}
		if b.file != "/var/lib/radius/server.pem" {
			h.restart(t, h.script, h.config)
			becomes(t, wrong, b.after)
		}
		h.root.Write(t, b.file, original)
		h.restart(t, h.script, h.config)
		becomes(t, wrong, nil)
	}
	h.root.Write(t, "/var/lib/radius/server.pem", read("/devices/soon.pem"))
	h.root.Write(t, "/var/lib/secrets/key", read("/devices/soon.key"))
	h.restart(t, h.script, h.config)
	becomes(t, wrong, []string{"radius/certificate fail: it ends at "})
	h.root.Write(t, "/var/lib/radius/server.pem", read("/devices/server.pem"))
	h.root.Write(t, "/var/lib/secrets/key", read("/devices/server.key"))
	h.restart(t, h.script, h.config)
	becomes(t, wrong, nil)

	h.daemon.Signal(t, syscall.SIGSTOP)
	without := wrong()
	for _, got := range without {
		if !strings.Contains(got, " unknown: ") {
			t.Errorf("without a processor: %s", got)
		}
	}
	for _, at := range []string{"192.168.1.1", "fd00:1::1"} {
		if id := "radius/answers/" + at; !slices.ContainsFunc(without, func(f string) bool { return strings.HasPrefix(f, id+" unknown: ") }) {
			t.Errorf("without a processor %s is not unknown: %q", id, without)
		}
	}
	h.daemon.Signal(t, syscall.SIGCONT)
	h.daemon.Stop(t)
	got := wrong()
	for _, f := range []string{"radius/answers/192.168.1.1 fail: no answer", "radius/answers/fd00:1::1 fail: no answer", "radius/listen fail: not there"} {
		if i := slices.Index(got, f); i < 0 {
			t.Errorf("%s is not found of a stopped FreeRADIUS: %q", f, got)
		} else {
			got = slices.Delete(got, i, i+1)
		}
	}
	for _, f := range got {
		if !strings.Contains(f, " unknown: ") {
			t.Errorf("of a stopped FreeRADIUS: %s", f)
		}
	}
}

// systemd runs FreeRADIUS as the module of NixOS has it, with what nbr adds, and starts it again when it dies. Who
// looks without being root may ask as the router does, and is told no secret.
func TestRADIUSUnderSystemd(t *testing.T) {
	t.Parallel()
	h := newRADIUSHouse(t)
	g := fromText(t, radiusSpec)
	options := g.at("systemd", "services", "freeradius").(map[string]any)
	delete(options, "after")
	settings := options["serviceConfig"].(map[string]any)
	delete(settings, "PrivateDevices") // the bench has no file system of devices
	settings["ExecStartPre"] = []any{"+bash /etc/stage.sh", "freeradius -C -d /etc/raddb -l stdout"}
	files := lab.Files{
		// nixos/modules/services/networking/freeradius.nix, with Debian's user.
		"/etc/systemd/system/freeradius.service":            "[Service]\nExecStart=freeradius -f -d /etc/raddb -l stdout\nUser=freerad\nProtectSystem=full\nProtectHome=on\nRestart=on-failure\nRestartSec=2\nLogsDirectory=radius\n",
		"/etc/systemd/system/freeradius.service.d/nbr.conf": unitText(t, options),
		"/etc/raddb/radiusd.conf":                           debianPaths.Replace(h.config),
	}
	for _, name := range []string{
		"/etc/nbr/spec/router.hcl", "/etc/stage.sh", "/var/lib/radius/ca.pem", "/var/lib/radius/server.pem",
		"/var/lib/secrets/key", "/var/lib/secrets/ap", "/var/lib/secrets/switch", "/var/lib/secrets/anna", "/var/lib/secrets/bob",
	} {
		b, err := os.ReadFile(h.root.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	renewal := g.at("systemd", "services", "nbr-radius-certificate").(map[string]any)
	files["/etc/renew.sh"] = renewal["script"].(string)
	delete(renewal, "script")
	delete(renewal, "path")
	files["/etc/systemd/system/nbr-radius-certificate.service"] = unitText(t, renewal) + "[Service]\nExecStart=bash -e /etc/renew.sh\n"
	maps.Copy(files, pathUnit(t, g, "nbr-radius-certificate"))
	m := lab.Boot(t, h.router, files, "freeradius.service")
	defer func() {
		if t.Failed() {
			t.Log(m.Journal(t, "freeradius.service"))
		}
	}()
	installNBR(t, m.Root, "/usr/bin/nbr")
	m.Run(t, "chmod", "-R", "go-rwx", "/var/lib/secrets")
	m.Systemctl(t, "start", "nbr-radius-certificate.path") // to which the new mode would be news
	look := func(as ...string) func() []string {
		return func() []string { return unmetOn(t, m, "radius", as...) }
	}
	becomes(t, look(), nil)
	// The agent's user is in the group.
	becomes(t, look("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--groups", "freerad"), []string{
		"radius/client/ap/address/192.168.1.5/32 unknown", "radius/client/ap/address/fd00:1::5/128 unknown", "radius/client/ap/secret/192.168.1.5/32 unknown", "radius/client/ap/secret/fd00:1::5/128 unknown",
		"radius/client/switches/address/192.168.1.64/28 unknown", "radius/client/switches/secret/192.168.1.64/28 unknown", "radius/clients unknown", "radius/key unknown", "radius/listen unknown",
		"radius/user/anna/password unknown", "radius/user/anna/password/vlan unknown", "radius/user/bob@example.org/password unknown", "radius/user/bob@example.org/password/vlan unknown",
	})
	for path, want := range map[string]string{
		"/run/freeradius": "700 freerad", "/run/freeradius/clients.conf": "600 freerad", "/run/freeradius/passwords": "600 freerad", "/run/freeradius/key.pem": "600 freerad",
		"/var/lib/nbr-radius": "750 root", "/var/lib/nbr-radius/own": "640 root",
	} {
		if got := strings.TrimSpace(m.Run(t, "stat", "-c", "%a %U", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	process := func() string { return strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "freeradius")) }
	pid := process()
	m.Run(t, "sh", "-c", "echo 'User-Name=\"stranger socket command file x\"' | radclient -r 1 -t 5 -S /var/lib/nbr-radius/own 192.168.1.1 auth || true")
	nstest.Wait(t, func() error {
		if said := m.Journal(t, "freeradius.service"); !strings.Contains(said, "stranger socket command file x") {
			return fmt.Errorf("the journal has no rejection: %s", said)
		}
		return nil
	})
	if said := m.Journal(t, "freeradius.service"); strings.Contains(said, "socket command file /run") {
		t.Errorf("each look is in the journal:\n%s", said)
	}
	own := m.Run(t, "cat", "/var/lib/nbr-radius/own")
	m.Run(t, "kill", "-KILL", pid)
	becomes(t, look(), nil)
	if now := strings.TrimSpace(m.Run(t, "systemctl", "show", "-P", "MainPID", "freeradius")); now == pid || now == "0" {
		t.Errorf("FreeRADIUS has not started again: it is %s", now)
	}
	if now := m.Run(t, "cat", "/var/lib/nbr-radius/own"); now != own {
		t.Error("the router's own programs have another secret after a start")
	}

	// What FreeRADIUS would not start with leaves the old one alone; a certificate that is written in many
	// steps is taken, and the next one as well.
	pid = process()
	m.Run(t, "sh", "-c", "cp /var/lib/radius/ca.pem /ca.pem && echo none >/var/lib/radius/ca.pem")
	nstest.Wait(t, func() error {
		if said := m.Journal(t, "nbr-radius-certificate.service"); !strings.Contains(said, "/var/lib/radius/ca.pem is no certificate: FreeRADIUS runs on") {
			return fmt.Errorf("the renewal says %s", said)
		}
		return nil
	})
	becomes(t, look(), []string{"radius/ca fail: another authority than that of the file"})
	if now := process(); now != pid {
		t.Errorf("FreeRADIUS has started again: it is %s instead of %s", now, pid)
	}
	m.Run(t, "cp", "/ca.pem", "/var/lib/radius/ca.pem")
	nstest.Wait(t, func() error {
		if now := process(); now == pid || now == "0" {
			return fmt.Errorf("FreeRADIUS has not started again: it is %s", now)
		}
		return nil
	})
	renewsOften(t, m, "nbr-radius-certificate", "/var/lib/radius/ca.pem")
	becomes(t, look(), nil)
}
