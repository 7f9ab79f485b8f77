package referee_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// dnsSpec is a router that does with names all that a resolver block can say. FORWARD, CORP and
// DNSSEC are filled in.
const dnsSpec = template + `
network "lan" {
  link   = port.lan1
  ipv4   = "192.168.178.1/24"
  ipv6   = "fd00:1::1/64"
  domain = "home.arpa"
}
network "phones" {
  link = port.lan2
  ipv6 = "fd00:2::1/64"
}
network "wan" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}
zone "inside" {
  networks = [network.lan, network.phones]
  allow    = ["dns", "dns-tls", "dns-https"]
}
zone "wan" { networks = [network.wan] }
route "nat64" {
  to  = "64:ff9b::/96"
  via = "fd00:1::64"
}
host "nas" {
  network = network.lan
  ipv4    = "192.168.178.10"
}
secret "dns" { path = "/var/lib/secrets/dns.key" }
input "lists" {
  url   = "path:/lists"
  flake = false
}
resolver {
  networks = [network.lan, network.phones]
  workers  = 1
  FORWARD
  records = [
    "_ipp._tcp.home.arpa SRV 0 0 631 nas.home.arpa",
    "home.arpa TXT \"two [[brackets]] and \\\"quotes\\\"\"",
    "media.home.arpa CNAME nas.home.arpa",
    "home.arpa MX 10 nas.home.arpa",
  ]
  forwarder "office" {
    zones   = ["corp.internal"]
    servers = ["192.0.2.53@5353"]
    CORP
  }
  forwarder "lab" {
    zones         = ["lab.example.org"]
    servers       = ["192.0.2.54"]
    authoritative = true
  }
  blocklist "ads" {
    files    = ["ads.txt"]
    allow    = ["good.tracker.example.net"]
    networks = [network.phones]
  }
  blocklist "more" {
    inputs = ["lists/hosts"]
  }
  dns64 {
    networks = [network.phones]
  }
  tls {
    name        = "dns.home.example"
    certificate = "/var/lib/dns/cert.pem"
    key         = secret.dns
    https       = true
  }
  extra = { dnssec = { "negative-trust-anchors" = ["org", "com", "net", "arpa"] } }
}
`

const adsList = `# names
ads.example.com
*.Tracker.example.net.
0.0.0.0 pixel.example.org localhost # as in hosts
`

// hostsList begins as such lists do.
const hostsList = "127.0.0.1 localhost\n::1 ip6-localhost\nff02::1 ip6-allnodes\n255.255.255.255 broadcasthost\n0.0.0.0 0.0.0.0\r\n0.0.0.0 more.example.com\r\n"

// dnsFiles are the spec and its lists, with the blanks filled in.
func dnsFiles(forward, corp string) fstest.MapFS {
	spec := strings.NewReplacer("FORWARD", forward, "CORP", corp).Replace(dnsSpec)
	return fstest.MapFS{"router.hcl": {Data: []byte(spec)}, "ads.txt": {Data: []byte(adsList)}}
}

// buildLists has Nix build the response policy zones of a spec's blocklists, as a router's build
// does, and returns them by the name of their file, or the message of the build that failed.
func buildLists(t *testing.T, files fstest.MapFS, hosts string) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(files, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, f := range spec.Modules() {
		if f.Name == "resolver" {
			text, _ := f.Module.Print()
			nstestWrite(t, filepath.Join(dir, "resolver.nix"), string(text))
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "spec"), files); err != nil {
		t.Fatal(err)
	}
	nstestWrite(t, filepath.Join(dir, "lists", "hosts"), hosts)
	nix := lab.Nix(t).Builder(t)
	out := map[string]string{}
	expr := fmt.Sprintf(`
let
  pkgs = import %s { system = "x86_64-linux"; };
  module = import %s/resolver.nix { inherit pkgs; lib.mkForce = x: x; lists = %[2]s/lists; };
in
map (r: r.file) module.services.knot-resolver.settings.local-data.rpz`, standin.Inputs(t, "26.05")["nixpkgs"], dir)
	text, err := nix.Try(t, "nix-build", "--no-out-link", "-E", expr)
	if err != nil {
		return nil, err
	}
	for path := range strings.FieldsSeq(text) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(filepath.Base(path), "-")
		out[name] = string(b)
	}
	return out, nil
}

func nstestWrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := nstest.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A list becomes a zone of the names in it, without those that are allowed and those above them.
func TestBlocklistsAreBuilt(t *testing.T) {
	t.Parallel()
	files := dnsFiles(`forward = ["192.0.2.53"]`, "")
	got, err := buildLists(t, files, hostsList)
	if err != nil {
		t.Fatal(err)
	}
	names := func(zone string) []string {
		var out []string
		for line := range strings.Lines(zone) {
			if name, ok := strings.CutSuffix(strings.TrimSpace(line), " CNAME ."); ok {
				out = append(out, name)
			}
		}
		return out
	}
	if got, want := names(got["blocklist-ads.rpz"]), []string{"ads.example.com", "pixel.example.org"}; !slices.Equal(got, want) {
		t.Errorf("ads: %q, want %q", got, want)
	}
	if got, want := names(got["blocklist-more.rpz"]), []string{"more.example.com"}; !slices.Equal(got, want) {
		t.Errorf("more: %q, want %q", got, want)
	}
	// Each line that no list has fails the build, by its number; nbr says the same of files of
	// the spec before that.
	for _, line := range badLines {
		_, err := buildLists(t, files, "ok.example.com\n"+line+"\n")
		if err == nil || !strings.Contains(err.Error(), "/lists/hosts:2: ") && !strings.Contains(err.Error(), "hosts:2: ") {
			t.Errorf("%q is built: %v", line, err)
		}
		wrong := dnsFiles(`forward = ["192.0.2.53"]`, "")
		wrong["ads.txt"] = &fstest.MapFile{Data: []byte("ok.example.com\n" + line + "\n")}
		reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
		if _, diags := reg.Load(wrong, nil); !strings.Contains(diags.Error(), "ads.txt:2,") {
			t.Errorf("%q: %s", line, diags)
		}
	}
	for _, hosts := range []string{"", "# nothing\n", "127.0.0.1 localhost\n"} {
		if _, err := buildLists(t, files, hosts); err == nil || !strings.Contains(err.Error(), "no name in the list") {
			t.Errorf("%q is built: %v", hosts, err)
		}
	}
}

// badLines are of no list.
var badLines = []string{
	"<html>", "||ads.example.com^", "192.0.2.1", "192.168.1.5 nas.lan.example", "a.example.com b.example.com", "a..example.com",
	"example", "münchen.example.com", "a.example.com CNAME rpz-passthru.", "a.example.com CNAME b.example.com.", strings.Repeat("a", 64) + ".example.com", "a.example.com A 192.0.2.1",
	"/ads[0-9]/", "a.example.com CNAME", "0.0.0.0 a b.example.com/path",
}

// dnsUpstream answers for all names in clear text and over TLS.
const dnsUpstream = `
server:
  do-daemonize: no
  username: ""
  chroot: ""
  use-syslog: no
  interface: 192.0.2.53
  interface: 192.0.2.53@853
  interface: 192.0.2.53@5353
  tls-port: 853
  tls-service-key: "/etc/unbound/key.pem"
  tls-service-pem: "/etc/unbound/cert.pem"
  access-control: 0.0.0.0/0 allow
  log-queries: yes
  local-zone: . static
  local-data: ". SOA a.example. b.example. 1 2 3 4 5"
  local-data: ". NS a.example."
  local-data: "www.example.org. A 203.0.113.7"
  local-data: "ads.example.com. A 203.0.113.9"
  local-data: "x.tracker.example.net. A 203.0.113.10"
  local-data: "good.tracker.example.net. A 203.0.113.11"
  local-data: "more.example.com. A 203.0.113.12"
  local-data: "v4only.example.org. A 192.0.2.33"
  local-data: "both.example.org. A 192.0.2.34"
  local-data: "both.example.org. AAAA 2001:db8::34"
  local-data: "ipv4only.arpa. A 192.0.0.170"
  local-data: "ipv4only.arpa. A 192.0.0.171"
  local-data: "corp.internal. SOA a.example. b.example. 1 2 3 4 5"
  local-data: "pc.corp.internal. A 10.1.2.3"
`

const labZone = `$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.54
box A 10.9.9.9
`

const labKnot = `server:
  listen: 192.0.2.54@53
  rundir: /run/knot
database:
  storage: /var/lib/knot
zone:
  - domain: lab.example.org
    file: /etc/knot/lab.zone
`

// A dnsLab is a router with a resolver, two of its hosts and the servers that it asks.
type dnsLab struct {
	root                  *lab.Root
	router, client, phone *nstest.NS
	upstream              *lab.Daemon
	upstreamLog           string
	pair                  timeServer
	g                     *generated
	files                 fstest.MapFS
}

func newDNSLab(t *testing.T, files fstest.MapFS) *dnsLab {
	t.Helper()
	l := &dnsLab{files: files, router: nstest.New(t, "router"), client: nstest.New(t, "client"), phone: nstest.New(t, "phone")}
	internet := nstest.New(t, "internet")
	nstest.Link(t, l.router, "lan1", l.client, "eth0")
	nstest.Link(t, l.router, "lan2", l.phone, "eth0")
	nstest.Link(t, l.router, "wan", internet, "eth0")
	l.router.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
	ip(t, l.router, "addr add 192.168.178.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add fd00:2::1/64 dev lan2 nodad\naddr add 198.51.100.2/24 dev wan\nroute add default via 198.51.100.1\n")
	ip(t, l.client, "addr add 192.168.178.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\n")
	ip(t, l.phone, "addr add fd00:2::50/64 dev eth0 nodad\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\naddr add 192.0.2.53/32 dev lo\naddr add 192.0.2.54/32 dev lo\n")

	upstream := newTimeServer(t, "dns.example.org", time.Now().Add(-time.Hour))
	l.pair = newTimeServer(t, "dns.home.example", time.Now().Add(-time.Hour))
	server := lab.Rootfs(t, lab.Files{
		"/etc/unbound/lab.conf": dnsUpstream, "/etc/unbound/key.pem": upstream.key, "/etc/unbound/cert.pem": upstream.cert,
		"/etc/knot/lab.conf": labKnot, "/etc/knot/lab.zone": labZone, "/run/knot/": "",
	})
	l.upstream = server.Daemon(t, internet, "sh", "-c", "exec unbound -d -c /etc/unbound/lab.conf 2>/tmp/asked")
	l.upstreamLog = server.Path("/tmp/asked")
	knot := server.Daemon(t, internet, "knotd", "-c", "/etc/knot/lab.conf")
	for _, s := range []struct {
		daemon     *lab.Daemon
		addr, name string
	}{{l.upstream, "192.0.2.53", "www.example.org"}, {knot, "192.0.2.54", "box.lab.example.org"}} {
		s.daemon.Ready(t, func() error {
			if got, err := dig(t, internet, s.addr, s.name); err != nil || !strings.HasPrefix(got, "NOERROR ") {
				return fmt.Errorf("%s: %s, %w", s.name, got, err)
			}
			return nil
		})
	}

	l.g = generate(t, files)
	l.root = knotRoot(t, l.g)
	lists, err := buildLists(t, files, hostsList)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range lists {
		l.root.Write(t, "/nix/store/"+name, text)
	}
	l.root.Write(t, "/etc/ssl/certs/ca-certificates.crt", upstream.ca)
	l.root.Write(t, "/etc/test/ca.pem", l.pair.ca)
	for name, f := range files {
		l.root.Write(t, "/etc/nbr/spec/"+name, string(f.Data))
	}
	// What systemd would be told.
	l.root.Write(t, "/usr/local/bin/systemctl", "#!/bin/sh\n")
	l.root.Run(t, l.router, "chmod", "+x", "/usr/local/bin/systemctl")
	l.certify(t, l.pair.cert, l.pair.key)
	installNBR(t, l.root, "/usr/bin/nbr")
	l.root.Run(t, l.router, "kresctl", "validate", knotConf)
	startKnot(t, l.root, l.router)
	return l
}

// certify puts a certificate and a key where the spec says that they are, and does what systemd
// does then.
func (l *dnsLab) certify(t *testing.T, cert, key string) {
	t.Helper()
	l.root.Write(t, "/var/lib/dns/cert.pem", cert)
	l.root.Write(t, "/var/lib/secrets/dns.key", key)
	script := l.g.text(t, "systemd", "services", "nbr-resolver-certificate", "script")
	l.root.Write(t, "/run/nbr-resolver-certificate/", "")
	l.root.Run(t, l.router, "sh", "-ec", "PATH=/usr/local/bin:$PATH\n"+script)
}

// unseen are what cannot be told here: there is no systemd, and the root is not the root.
var unseen = []string{"resolver/unit", "resolver/tls/unit", "resolver/workers", "resolver/forward", "resolver/zones", "resolver/rebinding", "resolver/resolves", "resolver/dnssec", "resolver/bogus"}

// wrong are the other checks of the resolver that do not pass, with what they found, sorted.
func (l *dnsLab) wrong(t *testing.T) []string {
	t.Helper()
	out, err := l.root.Try(t, l.router, "/usr/bin/nbr", "verify", "-format", "json", "-only", "resolver", "/etc/nbr/spec")
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var list []string
	for _, f := range report.Results {
		if f.Status != "pass" && !slices.Contains(unseen, f.ID) {
			list = append(list, f.ID+" "+f.Status+": "+f.Got)
		}
	}
	if len(report.Results) < 30 {
		t.Fatalf("%d checks are the resolver's:\n%s", len(report.Results), out)
	}
	slices.Sort(list)
	return list
}

// says waits until a server answers so.
func (l *dnsLab) says(t *testing.T, from *nstest.NS, want string, args ...string) {
	t.Helper()
	nstest.Wait(t, func() error {
		out, err := l.root.Try(t, from, append([]string{"kdig", "+time=3", "+retry=0", "+noall", "+header", "+answer"}, args...)...)
		if got := kdigSays(out); got != want {
			return fmt.Errorf("kdig %q says %q, want %q (%v)", args, got, want, err)
		}
		return nil
	})
}

// kdigSays is the code of an answer, and its data.
func kdigSays(out string) string {
	var words []string
	for line := range strings.Lines(out) {
		if _, rest, ok := strings.Cut(line, "; status: "); ok {
			code, _, _ := strings.Cut(rest, ";")
			words = append(words, code)
		} else if w := strings.Fields(line); len(w) > 4 && !strings.HasPrefix(line, ";") {
			words = append(words, strings.Join(w[4:], " "))
		}
	}
	return strings.Join(words, " ")
}

// All that a resolver block can say, with real questions over UDP, TCP, TLS and HTTPS.
func TestResolverOfAWholeNetwork(t *testing.T) {
	t.Parallel()
	l := newDNSLab(t, dnsFiles(`forward = ["192.0.2.53#dns.example.org"]`, "dnssec = false"))
	const lan, phones = "@192.168.178.1", "@fd00:2::1"
	tls := []string{"+tls", "+tls-ca=/etc/test/ca.pem", "+tls-hostname=dns.home.example"}
	https := []string{"+https", "+tls-ca=/etc/test/ca.pem", "+tls-hostname=dns.home.example"}
	for _, c := range []struct {
		name string
		from *nstest.NS
		want string
		args []string
	}{
		{"forwarded over TLS", l.client, "NOERROR 203.0.113.7", []string{lan, "www.example.org"}},
		{"over TCP", l.client, "NOERROR 203.0.113.7", []string{lan, "www.example.org", "+tcp"}},
		{"over TLS", l.client, "NOERROR 203.0.113.7", append(tls, lan, "www.example.org")},
		{"over HTTPS", l.client, "NOERROR 203.0.113.7", append(https, lan, "www.example.org")},
		{"over HTTPS, by IPv6", l.phone, "NOERROR 203.0.113.7", append(https, phones, "www.example.org")},
		{"an inner zone", l.client, "NOERROR 10.1.2.3", []string{lan, "pc.corp.internal"}},
		{"of authoritative servers", l.client, "NOERROR 10.9.9.9", []string{lan, "box.lab.example.org"}},
		{"a service", l.client, "NOERROR 0 0 631 nas.home.arpa.", []string{lan, "_ipp._tcp.home.arpa", "SRV"}},
		{"another name", l.client, "NOERROR nas.home.arpa. 192.168.178.10", []string{lan, "media.home.arpa"}},
		{"a text", l.client, `NOERROR "two [[brackets]] and \"quotes\""`, []string{lan, "home.arpa", "TXT"}},
		{"mail", l.client, "NOERROR 10 nas.home.arpa.", []string{lan, "home.arpa", "MX"}},
		{"a name that is blocked elsewhere", l.client, "NOERROR 203.0.113.9", []string{lan, "ads.example.com"}},
		{"a blocked name", l.phone, "NXDOMAIN", []string{phones, "ads.example.com"}},
		{"a blocked name over TLS", l.phone, "NXDOMAIN", append(tls, phones, "ads.example.com")},
		{"an allowed name", l.phone, "NOERROR 203.0.113.11", []string{phones, "good.tracker.example.net"}},
		{"a name of the input, in both", l.client, "NXDOMAIN", []string{lan, "more.example.com"}},
		{"a name of the input, in both", l.phone, "NXDOMAIN", []string{phones, "x.more.example.com"}},
		{"the router is not told so", l.router, "NOERROR 203.0.113.12", []string{"@127.0.0.1", "more.example.com"}},
		{"DNS64", l.phone, "NOERROR 64:ff9b::c000:221", []string{phones, "v4only.example.org", "AAAA"}},
		{"DNS64 with another address", l.phone, "NOERROR 2001:db8::34", []string{phones, "both.example.org", "AAAA"}},
		{"no DNS64 elsewhere", l.client, "NOERROR", []string{lan, "v4only.example.org", "AAAA"}},
		{"no DNS64 for the router", l.router, "NOERROR", []string{"@127.0.0.1", "v4only.example.org", "AAAA"}},
		{"DNS64 backwards", l.phone, "NOERROR 33.2.0.192.in-addr.arpa.", []string{phones, "-x", "64:ff9b::c000:221", "CNAME"}},
	} {
		t.Run(c.name, func(t *testing.T) { l.says(t, c.from, c.want, c.args...) })
	}
	asked := func() string {
		b, err := os.ReadFile(l.upstreamLog)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if !strings.Contains(asked(), "www.example.org") {
		t.Errorf("the upstream was not asked:\n%s", asked())
	}
	if out, err := l.root.Try(t, l.client, append([]string{"kdig", "+time=3", "+retry=0", "@192.168.178.1", "localhost", "+tls", "+tls-ca=/etc/test/ca.pem"}, "+tls-hostname=other.example")...); err == nil {
		t.Errorf("the certificate is for every name:\n%s", out)
	}

	// nbr verify says the same.
	fine := func() { l.becomes(t) }
	fine()
	next := newTimeServer(t, "dns.home.example", time.Now().Add(-time.Minute))
	l.certify(t, next.cert, next.key)
	both := func(what string) []string {
		var out []string
		for _, service := range []string{"dns-https", "dns-tls"} {
			for _, a := range []string{"192.168.178.1", "fd00:1::1", "fd00:2::1"} {
				out = append(out, "resolver/tls/certificate/"+service+"/"+a+" fail: "+what)
			}
		}
		return out
	}
	l.becomes(t, both("another certificate than that of the file")...)
	l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "reload")
	fine()
	// Where half of a pair is new the one before stays.
	l.certify(t, next.cert, l.pair.key)
	l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "reload")
	l.becomes(t, "resolver/tls/key fail: is another one, or none")
	// Where there was none a key of another certificate costs TLS alone.
	l.root.Run(t, l.router, "rm", "/run/nbr-resolver-certificate/key.pem")
	l.certify(t, next.cert, l.pair.key)
	l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "reload")
	l.becomes(t, append(both("another certificate than that of the file"), "resolver/tls/key fail: is another one, or none")...)
	for _, c := range []struct {
		name   string
		change func(settings map[string]any)
		want   []string
	}{
		{"no list for the phones", func(s map[string]any) {
			for _, v := range s["views"].([]any) {
				if v := v.(map[string]any); fmt.Sprint(v["subnets"]) == "[fd00:2::/64]" {
					v["tags"] = []string{"more"}
				}
			}
		}, []string{"resolver/blocklist.ads/blocks/fd00:2::1 fail: NOERROR", "resolver/blocklist.ads/lists/fd00:2::1 fail: NXDOMAIN"}},
		{"no DNS64", func(s map[string]any) { delete(s, "dns64") }, []string{"resolver/dns64/fd00:2::1 fail: NOERROR"}},
		{"another server for the office", func(s map[string]any) {
			s["forward"].([]any)[1].(map[string]any)["servers"] = []string{"192.0.2.54"}
		}, []string{"resolver/forwarder.office/finds/corp.internal fail: "}},
		{"other records", func(s map[string]any) {
			s["local-data"].(map[string]any)["records"] = "_ipp._tcp.home.arpa. SRV 0 0 632 nas.home.arpa.\nmedia.home.arpa. CNAME nas.home.arpa.\nhome.arpa. MX 10 nas.home.arpa."
		}, []string{"resolver/record/_ipp._tcp.home.arpa/SRV fail: NOERROR 0 0 632 nas.home.arpa.", "resolver/record/home.arpa/TXT fail: NOERROR"}},
	} {
		var settings map[string]any
		if err := json.Unmarshal([]byte(l.g.json(t, "services", "knot-resolver", "settings")), &settings); err != nil {
			t.Fatal(err)
		}
		l.certify(t, next.cert, next.key)
		c.change(settings)
		l.root.Write(t, knotConf, toJSON(t, settings))
		l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "reload")
		l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "cache", "clear")
		t.Run(c.name, func(t *testing.T) { l.becomes(t, c.want...) })
	}
	l.root.Write(t, knotConf, l.g.json(t, "services", "knot-resolver", "settings"))
	l.root.Run(t, l.router, "kresctl", "--config="+knotConf, "reload")
	fine()
}

// becomes waits until these checks do not pass and all others do. What is wanted may be the
// beginning of what is found.
func (l *dnsLab) becomes(t *testing.T, want ...string) {
	t.Helper()
	becomes(t, func() []string { return l.wrong(t) }, want)
}

// A server that has not the name is asked nothing, in clear text neither, and a zone of the inside
// is not believed where validation is on.
func TestForwardingFailsClosed(t *testing.T) {
	t.Parallel()
	l := newDNSLab(t, dnsFiles(`forward = ["192.0.2.53#dns.example.com"]`, ""))
	for _, c := range [][]string{{"www.example.org"}, {"www.example.org", "+tcp"}, {"pc.corp.internal"}} {
		l.says(t, l.client, "SERVFAIL", append([]string{"@192.168.178.1", "+time=10"}, c...)...)
	}
	l.says(t, l.client, "NOERROR 10.9.9.9", "@192.168.178.1", "box.lab.example.org")
	b, err := os.ReadFile(l.upstreamLog)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, " 198.51.100.2 ") && strings.Contains(line, " info: ") && !strings.Contains(line, "corp.internal") && !strings.Contains(line, " internal. ") {
			t.Errorf("it was asked: %s", line)
		}
	}
}

// systemd gives the resolver the certificate before it starts, and each new one at once. Without
// one the resolver starts all the same.
func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	g := fromText(t, resolverSpec+`
	secret "dns" { path = "/var/lib/secrets/dns.key" }
	resolver {
	  networks = [network.lan]
	  workers  = 1
	  tls {
	    name        = "dns.home.example"
	    certificate = "/var/lib/dns/cert.pem"
	    key         = secret.dns
	  }
	}`)
	ns := nstest.New(t, "router")
	ip(t, ns, "addr add 192.168.178.1/24 dev lo\n")
	const name = "nbr-resolver-certificate"
	service := g.at("systemd", "services", name).(map[string]any)
	script := service["script"].(string)
	delete(service, "script") // of which NixOS makes a program
	files := lab.Files{
		knotConf:           g.json(t, "services", "knot-resolver", "settings"),
		"/etc/test/script": script, "/var/lib/dns/": "", "/var/lib/secrets/": "",
		"/etc/systemd/system/knot-resolver.service.d/stop.conf": "[Service]\nTimeoutStopSec=1\n",
	}
	service["serviceConfig"].(map[string]any)["ExecStart"] = "/bin/sh -e /etc/test/script"
	units := ownUnits(t, g, files)
	if !slices.Contains(units, name+".service") {
		t.Fatalf("%q start at boot", units)
	}
	maps.Copy(files, pathUnit(t, g, name))
	m := lab.Boot(t, ns, files, "knot-resolver.service", name+".path")
	take := func(pair timeServer, code bool) {
		t.Helper()
		m.Root.Write(t, "/etc/test/ca.pem", pair.ca)
		nstest.Wait(t, func() error {
			out, err := m.Try(t, "kdig", "+time=2", "+retry=0", "+tls", "+tls-ca=/etc/test/ca.pem", "+tls-hostname=dns.home.example", "@192.168.178.1", "localhost")
			if (err == nil) != code {
				return fmt.Errorf("%v\n%s\n%s", err, out, m.Journal(t, name+".service", "knot-resolver.service"))
			}
			return nil
		})
	}
	first := newTimeServer(t, "dns.home.example", time.Now().Add(-time.Hour))
	take(first, false)
	answers(t, ns, "192.168.178.1", "localhost", "NOERROR ad 127.0.0.1")
	for _, pair := range []timeServer{first, newTimeServer(t, "dns.home.example", time.Now().Add(-time.Hour))} {
		m.Root.Write(t, "/var/lib/secrets/dns.key", pair.key)
		m.Root.Write(t, "/var/lib/dns/cert.pem", pair.cert)
		take(pair, true)
	}
	renewsOften(t, m, name, "/var/lib/dns/cert.pem")
	if out := m.Run(t, "stat", "-c", "%n %U:%G %a", "/run/"+name+"/key.pem", "/run/"+name); out != "/run/"+name+"/key.pem root:knot-resolver 640\n/run/"+name+" root:knot-resolver 750\n" {
		t.Error(out)
	}
	m.Systemctl(t, "restart", "knot-resolver.service")
	answers(t, ns, "192.168.178.1", "localhost", "NOERROR ad 127.0.0.1")
}
