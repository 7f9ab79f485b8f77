package router

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// TestRules wants rules that can be named: a code of its own and a sentence each.
// What each of them says is shown by the specs in testdata/bad.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	code := regexp.MustCompile(`^[a-z]+[0-9]*(-[a-z]+)*$`)
	for _, r := range Rules() {
		if seen[r.Code] || !code.MatchString(r.Code) || !strings.HasSuffix(r.Doc, ".") || r.Check == nil {
			t.Errorf("%+v", r)
		}
		seen[r.Code] = true
	}
}

// network is a network with an address.
func network(name, ipv4 string) *Network {
	n := &Network{Header: conf.Header{Addr: conf.Addr{Type: "network", Name: name}}}
	n.IPv4.Set = true
	n.IPv4.V.How = Fixed{netip.MustParsePrefix(ipv4)}
	return n
}

// TestOverlap compares the rule, which sorts, with looking at every pair.
func TestOverlap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 2000 {
		r := &Router{}
		for i := range 2 + random.IntN(6) {
			a := netip.AddrFrom4([4]byte{10, byte(random.IntN(4)), byte(random.IntN(256)), 1})
			r.Networks = append(r.Networks, network(fmt.Sprint(i), fmt.Sprintf("%s/%d", a, 12+random.IntN(20))))
		}
		want := false
		for i, a := range r.Networks {
			for _, b := range r.Networks[:i] {
				want = want || a.IPv4.V.How.(Fixed).Overlaps(b.IPv4.V.How.(Fixed).Prefix)
			}
		}
		if want {
			found++
		}
		if diags := ruleOverlap(r); diags.HasErrors() != want || len(diags) >= len(r.Networks) {
			t.Fatalf("%v: %v, want %v", r.fixed(), diags, want)
		}
	}
	if found == 0 || found == 2000 {
		t.Errorf("%d of 2000 overlap: nothing was compared", found)
	}
}

// TestLookupsAreWalks compares what is looked up with a walk through all networks, of which the
// first that fits counts where several are the same.
func TestLookupsAreWalks(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	found, inside := 0, 0
	for range 500 {
		r := &Router{}
		address := func() string {
			return netip.AddrFrom4([4]byte{10, byte(random.IntN(3)), byte(random.IntN(3)), byte(random.IntN(3))}).String()
		}
		for i := range 1 + random.IntN(6) {
			r.Networks = append(r.Networks, network(fmt.Sprint(i), fmt.Sprintf("%s/%d", address(), []int{8, 16, 24, 32}[random.IntN(4)])))
		}
		for range 20 {
			to := netip.MustParsePrefix(fmt.Sprintf("%s/%d", address(), []int{8, 16, 24, 32}[random.IntN(4)]))
			var owner, block *Network
			for _, n := range r.Networks {
				own := n.IPv4.V.How.(Fixed).Prefix
				if owner == nil && own.Addr() == to.Addr() {
					owner = n
				}
				if own.Bits() <= to.Bits() && own.Contains(to.Addr()) && (block == nil || own.Bits() > block.IPv4.V.How.(Fixed).Bits()) {
					block = n
				}
			}
			if got := r.Owner(to.Addr()); got != owner {
				t.Errorf("%v: %s is of %v, not of %v", r.fixed(), to.Addr(), got, owner)
			}
			if got, ok := r.blockOf(to); got.n != block || ok != (block != nil) {
				t.Errorf("%v: %s is in %v, not in %v", r.fixed(), to, got.n, block)
			}
			if owner != nil {
				found++
			}
			if block != nil {
				inside++
			}
		}
	}
	if found == 0 || inside == 0 {
		t.Errorf("%d owners and %d blocks: nothing was compared", found, inside)
	}
}

func TestBroadcast(t *testing.T) {
	for in, want := range map[string]string{
		"192.168.1.1/24": "192.168.1.255", "10.0.0.1/8": "10.255.255.255", "192.0.2.1/32": "192.0.2.1", "192.0.2.0/31": "192.0.2.1",
		"0.0.0.0/0": "255.255.255.255", "fd00::1/64": "fd00::ffff:ffff:ffff:ffff", "192.0.2.77/27": "192.0.2.95",
	} {
		if got := Broadcast(netip.MustParsePrefix(in)); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestPortRangeOverlaps(t *testing.T) {
	tests := []struct {
		a, b PortRange
		want bool
	}{
		{PortRange{1, 1}, PortRange{1, 1}, true},
		{PortRange{1, 5}, PortRange{5, 9}, true},
		{PortRange{1, 9}, PortRange{3, 4}, true},
		{PortRange{1, 4}, PortRange{5, 9}, false},
	}
	for _, tt := range tests {
		if tt.a.Overlaps(tt.b) != tt.want || tt.b.Overlaps(tt.a) != tt.want {
			t.Errorf("%s and %s: not %v", tt.a, tt.b, tt.want)
		}
	}
}

func TestLookups(t *testing.T) {
	lan, guest, out := network("lan", "192.168.1.1/24"), network("guest", "192.168.2.1/24"), network("out", "10.0.0.1/8")
	zone := &Zone{Networks: conf.Refs[*Network]{Items: []conf.Ref[*Network]{{Target: lan}, {Target: guest}}}}
	r := &Router{Networks: []*Network{lan, guest, out}, Zones: []*Zone{zone}}
	beside := network("beside", "192.168.3.1/24")
	lan.Link.Target, guest.Link.Target, out.Link.Target = &BoardPort{Name: "lan1"}, &BoardPort{Name: "lan2"}, &BoardPort{Name: "wan"}
	beside.Link = lan.Link
	r.Networks = append(r.Networks, beside)
	if r.ZoneOf(guest) != zone || r.ZoneOf(out) != nil || r.ZoneOf(beside) != zone {
		t.Error("zones")
	}
	if got := r.NetworksOf(zone); !slices.Equal(got, []*Network{lan, guest, beside}) {
		t.Errorf("networks of the zone: %v", got)
	}
	for in, want := range map[string]*Network{"192.168.2.255": guest, "10.9.9.9": out, "172.16.0.1": nil, "fd00::1": nil} {
		if got := r.NetworkAt(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s is in %v", in, got)
		}
	}
	port := &BoardPort{Name: "lan1"}
	br := &Bridge{Ports: conf.Refs[Link]{Items: []conf.Ref[Link]{{Target: port}}}}
	r.Made = []Link{br}
	if r.MasterOf(port) != Link(br) || r.MasterOf(br) != nil {
		t.Error("bridges")
	}
}

func TestUpstream(t *testing.T) {
	dhcp, auto, gw, plain := &Network{}, &Network{}, network("gw", "10.0.0.1/8"), network("plain", "10.0.0.1/8")
	dhcp.IPv4.V.How, auto.IPv6.V.How, gw.Gateway.Set = ByDHCP{}, ByAdvertisement{}, true
	for want, ns := range map[bool][]*Network{true: {dhcp, auto, gw}, false: {plain}} {
		for _, n := range ns {
			if n.Upstream() != want {
				t.Errorf("%+v: %v", n, !want)
			}
		}
	}
	for n, want := range map[*Network][2]int{dhcp: {0, 1}, auto: {0, 1}, gw: {1, 0}, {}: {0, 0}} {
		if fixed, later := n.Split(); len(fixed) != want[0] || len(later) != want[1] {
			t.Errorf("%+v: fixed %v, later %v", n, fixed, later)
		}
	}
}

func TestSize(t *testing.T) {
	for s, want := range map[Size]string{0: "0", 1: "1", 1 << 10: "1KiB", 1536 << 20: "1536MiB", 8 << 30: "8GiB", 1<<30 + 1: "1073741825"} {
		if got := s.String(); got != want {
			t.Errorf("%d: %s, want %s", uint64(s), got, want)
		}
	}
}

// TestFirsts wants of several claims the first, sorted by what is claimed.
func TestFirsts(t *testing.T) {
	r := &Router{}
	scope := r.Scopes()
	by := func(name string) *Scope {
		return scope(&Zone{Header: conf.Header{Addr: conf.Addr{Type: "zone", Name: name}}})
	}
	by("a").Kernel(hcl.Range{}, "why", "Z", "A")
	by("b").Kernel(hcl.Range{}, "why not", "A", "M")
	var got []string
	for _, k := range r.KernelSymbols() {
		got = append(got, k.Symbol+" "+k.Addr.String())
	}
	if s := strings.Join(got, ", "); s != "A zone.a, M zone.b, Z zone.a" {
		t.Error(s)
	}
}

// TestSysctls has the one rule that no spec can break yet.
func TestSysctls(t *testing.T) {
	r := &Router{}
	scope := r.Scopes()
	for i, value := range []string{"1", "1", "0"} {
		s := scope(&Zone{Header: conf.Header{Addr: conf.Addr{Type: "zone", Name: fmt.Sprint(i)}}})
		s.Sysctl(hcl.Range{Filename: "a", Start: hcl.Pos{Line: i + 1}}, "net.ipv4.ip_forward", value)
	}
	diags := ruleSysctls(r)
	if len(diags) != 1 || diag.Code(diags[0]) != "sysctl-clash" || diags[0].Subject.Start.Line != 3 || len(diag.Others(diags[0])) != 1 {
		t.Error(diags)
	}
}

// TestEncrypted tells files that may be copied into the Nix store from those that
// may not.
func TestEncrypted(t *testing.T) {
	files := fstest.MapFS{
		"s.yaml":  {Data: []byte("a: ENC[AES256_GCM,data:x]")},
		"a.age":   {Data: []byte("age-encryption.org/v1\n")},
		"b.age":   {Data: []byte("-----BEGIN AGE ENCRYPTED FILE-----\n")},
		"plain":   {Data: []byte("a: hunter2 # ENC\nage-encryption.org/v1")},
		"folder":  {Mode: fs.ModeDir},
		"nothing": {},
	}
	for file, sources := range map[string]map[Source]string{
		"s.yaml":  {SourceSOPS: "", SourceAgenix: "secret-not-encrypted"},
		"a.age":   {SourceSOPS: "secret-not-encrypted", SourceAgenix: ""},
		"b.age":   {SourceAgenix: ""},
		"plain":   {SourceSOPS: "secret-not-encrypted", SourceAgenix: "secret-not-encrypted"},
		"nothing": {SourceSOPS: "secret-not-encrypted"},
		"folder":  {SourceSOPS: "not-a-file"},
		"missing": {SourceSOPS: "no-such-file", SourceAgenix: "no-such-file"},
	} {
		for source, want := range sources {
			r := &Router{FS: files, Secrets: []*Secret{{File: conf.Of(File(file)), Source: conf.Of(source)}}}
			got := ""
			for _, d := range ruleSecrets(r) {
				got += diag.Code(d)
			}
			if got != want {
				t.Errorf("%s as %s: %q, want %q", file, source, got, want)
			}
		}
	}
}

// TestSecretPlaces wants of each source of secrets the arguments that it takes, and no other's.
func TestSecretPlaces(t *testing.T) {
	files := fstest.MapFS{"s.yaml": {Data: []byte("a: ENC[AES256_GCM,data:x]")}, "a.age": {Data: []byte("age-encryption.org/v1\n")}}
	path, key := conf.Of(Path("/var/lib/a")), conf.Of("a")
	sops, age := conf.Of(File("s.yaml")), conf.Of(File("a.age"))
	for _, tt := range []struct {
		s    Secret
		want int
	}{
		{Secret{Source: conf.Of(SourceFile), Path: path}, 0},
		{Secret{Source: conf.Of(SourceFile)}, 1},
		{Secret{Source: conf.Of(SourceFile), Path: path, Key: key}, 1},
		{Secret{Source: conf.Of(SourceSOPS), File: sops}, 0},
		{Secret{Source: conf.Of(SourceSOPS), File: sops, Key: key}, 0},
		{Secret{Source: conf.Of(SourceAgenix), File: age}, 0},
		{Secret{Source: conf.Of(SourceAgenix), File: age, Key: key}, 1},
	} {
		diags := ruleSecrets(&Router{FS: files, Secrets: []*Secret{&tt.s}})
		if len(diags) != tt.want {
			t.Errorf("%s with path %t, file %t, key %t: %v", tt.s.Source.V, tt.s.Path.Set, tt.s.File.Set, tt.s.Key.Set, diags)
		}
		for _, d := range diags {
			if diag.Code(d) != "secret-without-path" {
				t.Error(d)
			}
		}
	}
}
