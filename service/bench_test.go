package service_test

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// sized is a spec of so many VLANs, each with a network and a DHCP server of ten
// reservations; ten networks are a zone.
func sized(networks int) []byte {
	var b strings.Builder
	b.WriteString(`router "sized" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "25.11"
  console_only  = true
}
`)
	var refs []string
	for i := range networks {
		sub := fmt.Sprintf("10.%d.%d", i/256, i%256)
		fmt.Fprintf(&b, `
vlan "v%[1]d" {
  link = port.lan1
  id   = %[2]d
}

network "n%[1]d" {
  link = vlan.v%[1]d
  ipv4 = "%[3]s.1/24"
}

dhcp4 "n%[1]d" {
  network = network.n%[1]d
  pool    = ["%[3]s.100-%[3]s.199"]
`, i, i+1, sub)
		for j := range 10 {
			fmt.Fprintf(&b, `
  reservation "host-%[1]d-%[2]d" {
    mac  = "02:00:00:%02[3]x:%02[4]x:%02[2]x"
    ipv4 = "%[5]s.%[6]d"
  }
`, i, j, i/256, i%256, sub, 10+j)
		}
		b.WriteString("}\n")
		refs = append(refs, fmt.Sprintf("network.n%d", i))
		if len(refs) == 10 || i == networks-1 {
			fmt.Fprintf(&b, "\nzone \"z%d\" {\n  networks = [%s]\n  allow    = [\"dhcp\", \"dns\"]\n}\n", i/10, strings.Join(refs, ", "))
			fmt.Fprintf(&b, "\npolicy \"p%[1]d\" {\n  from   = [zone.z%[1]d]\n  to     = [zone.z0]\n  action = \"accept\"\n}\n", i/10)
			refs = nil
		}
	}
	for i := range networks {
		refs = append(refs, fmt.Sprintf("    network.n%d,\n", i))
	}
	fmt.Fprintf(&b, "\nresolver {\n  networks = [\n%s  ]\n}\n", strings.Join(refs, ""))
	return []byte(b.String())
}

// settled is a spec of so many VLANs with a zone, a host, a set of addresses, a service, policies,
// a route and a port forward each.
func settled(networks int) []byte {
	var b strings.Builder
	b.WriteString(`router "settled" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

zone "wan" {
  networks = [network.wan]
}
`)
	for i := range networks {
		fmt.Fprintf(&b, `
vlan "v%[1]d" {
  link = port.lan1
  id   = %[2]d
}

network "n%[1]d" {
  link = vlan.v%[1]d
  ipv4 = "10.%[3]d.%[4]d.1/24"
}

zone "z%[1]d" {
  networks = [network.n%[1]d]
}

host "h%[1]d" {
  network = network.n%[1]d
  mac     = "02:00:00:00:%02[3]x:%02[4]x"
  ipv4    = "10.%[3]d.%[4]d.10"
}

policy "p%[1]d" {
  from   = [zone.z%[1]d]
  to     = [host.h%[5]d]
  action = "accept"
  ports  = ["80"]
}

address_set "s%[1]d" {
  hosts     = [host.h%[1]d]
  addresses = ["10.%[3]d.%[4]d.128/25", "192.0.2.%[4]d"]
}

service "s%[1]d" {
  ports = ["tcp/%[7]d"]
}

policy "q%[1]d" {
  from     = [address_set.s%[1]d]
  to       = [zone.z%[5]d]
  action   = "accept"
  services = ["s%[1]d", "https"]
}

route "r%[1]d" {
  to  = "172.%[6]d.%[4]d.0/24"
  via = "10.%[3]d.%[4]d.20"
}

port_forward "f%[1]d" {
  from = zone.wan
  port = "%[7]d"
  to   = host.h%[1]d
}
`, i, i+1, i/256, i%256, (i+1)%networks, 16+i/256, 2000+i)
	}
	return []byte(b.String())
}

// entire is a spec of so many VLANs with all that a network can have: both versions of IP, a zone,
// leases, advertisements, hosts, a zone of names, and policies to the next one and outside.
func entire(networks int) []byte {
	var b strings.Builder
	b.WriteString(`router "entire" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link     = port.wan
  ipv4     = "203.0.113.2/24"
  gateway  = "203.0.113.1"
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}

zone "wan" {
  networks = [network.wan]
}

network "servers" {
  link = port.lan2
  ipv4 = "192.168.1.1/24"
}

zone "servers" {
  networks = [network.servers]
  allow    = ["dns-zones"]
}

dns_server {
  networks = [network.servers]
}

`)
	var refs []string
	for i := range networks {
		fmt.Fprintf(&b, `vlan "v%[1]d" {
  link = port.lan1
  id   = %[2]d
}

network "n%[1]d" {
  link   = vlan.v%[1]d
  ipv4   = "10.%[3]d.%[4]d.1/24"
  ipv6   = "fd00:0:0:%[5]x::1/64"
  domain = "n%[1]d.example.org"
}

zone "z%[1]d" {
  networks = [network.n%[1]d]
  allow    = ["dhcp", "dhcp6", "dns"]
}

host "nas%[1]d" {
  network = network.n%[1]d
  mac     = "02:00:00:01:%02[3]x:%02[4]x"
  ipv4    = "10.%[3]d.%[4]d.10"
  ipv6    = "::10"
}

host "printer%[1]d" {
  network = network.n%[1]d
  mac     = "02:00:00:02:%02[3]x:%02[4]x"
  ipv4    = "10.%[3]d.%[4]d.11"
  ipv6    = "::11"
  aliases = ["scanner%[1]d"]
}

dhcp4 "n%[1]d" {
  network = network.n%[1]d
  pool    = ["10.%[3]d.%[4]d.100-10.%[3]d.%[4]d.199"]
}

router_advert "n%[1]d" {
  network = network.n%[1]d
  managed = true
}

dhcp6 "n%[1]d" {
  network = network.n%[1]d
  pool    = ["::1000-::1fff"]
}

dns_zone "n%[1]d" {
  domain  = "n%[1]d.example.org"
  records = ["media.n%[1]d.example.org CNAME nas%[1]d.n%[1]d.example.org"]
}

policy "next%[1]d" {
  from     = [zone.z%[1]d]
  to       = [host.printer%[6]d]
  action   = "accept"
  services = ["https"]
}

policy "out%[1]d" {
  from       = [zone.z%[1]d]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

`, i, i+1, i/256, i%256, i+1, (i+1)%networks)
		refs = append(refs, fmt.Sprintf("    network.n%d,\n", i))
	}
	fmt.Fprintf(&b, "resolver {\n  networks = [\n%s  ]\n}\n", strings.Join(refs, ""))
	return []byte(b.String())
}

// TestThousandNetworks loads a spec larger than any that is expected.
func TestThousandNetworks(t *testing.T) {
	spec, diags := registry().Load(fstest.MapFS{"router.hcl": {Data: sized(1000)}}, nil)
	if len(diags) > 0 {
		t.Fatal(details(diags))
	}
	if n := len(spec.Router.Networks); n != 1000 {
		t.Errorf("%d networks", n)
	}
	var size int
	for _, f := range spec.Modules() {
		src, _ := f.Module.Print()
		size += len(src)
		if f.Name == "dhcp4" && strings.Count(string(src), "hw-address") != 10000 {
			t.Error("not ten thousand reservations")
		}
	}
	if size == 0 || len(spec.Plan().Checks) < 1000 {
		t.Errorf("%d bytes of modules, %d checks", size, len(spec.Plan().Checks))
	}
}

// TestLinear counts what is allocated, the objects and their bytes: sixteen times as many networks
// take about sixteen times as many. Work that grows with the square of the spec makes more lists,
// small ones or long ones; the time is for the benchmarks.
func TestLinear(t *testing.T) {
	allocated := func(spec []byte) (objects, bytes uint64) {
		fsys := fstest.MapFS{"router.hcl": {Data: spec}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		loaded, diags := registry().Load(fsys, nil)
		if diags.HasErrors() {
			t.Fatal(details(diags))
		}
		for _, f := range loaded.Modules() {
			f.Module.Print()
		}
		loaded.Plan()
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
	}
	for _, of := range []struct {
		name string
		spec func(networks int) []byte
	}{{"leases", sized}, {"hosts", settled}, {"entire", entire}} {
		fewObjects, fewBytes := allocated(of.spec(50))
		manyObjects, manyBytes := allocated(of.spec(800))
		objects, bytes := float64(manyObjects)/float64(fewObjects), float64(manyBytes)/float64(fewBytes)
		t.Logf("%s: 800 networks take %.1f times the objects of 50, and %.1f times the bytes", of.name, objects, bytes)
		if objects > 17 || bytes > 17 {
			t.Errorf("%s: the work grows faster than the spec: 800 networks take %.1f times the objects of 50, and %.1f times the bytes", of.name, objects, bytes)
		}
	}
}

// benchmarked are the specs that are measured.
func benchmarked(b *testing.B) map[string]fs.FS {
	src, err := os.ReadFile("../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		b.Fatal(err)
	}
	return map[string]fs.FS{
		"article":       fstest.MapFS{"router.hcl": {Data: src}},
		"networks=100":  fstest.MapFS{"router.hcl": {Data: sized(100)}},
		"networks=1000": fstest.MapFS{"router.hcl": {Data: sized(1000)}},
		"entire=300":    fstest.MapFS{"router.hcl": {Data: entire(300)}},
		"entire=600":    fstest.MapFS{"router.hcl": {Data: entire(600)}},
	}
}

var sizes = []string{"article", "networks=100", "networks=1000", "entire=300", "entire=600"}

func parse(b *testing.B, fsys fs.FS) {
	src, err := fs.ReadFile(fsys, "router.hcl")
	if err != nil {
		b.Fatal(err)
	}
	if _, diags := hclsyntax.ParseConfig(src, "router.hcl", hcl.InitialPos); diags.HasErrors() {
		b.Fatal(diags)
	}
}

func check(b *testing.B, fsys fs.FS) {
	if _, diags := registry().Load(fsys, nil); diags.HasErrors() {
		b.Fatal(diags)
	}
}

func gen(b *testing.B, fsys fs.FS) {
	spec, diags := registry().Load(fsys, nil)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	for _, f := range spec.Modules() {
		f.Module.Print()
	}
}

// parsing is how long parsing alone takes, in nanoseconds. A benchmark cannot run
// another one.
func parsing(b *testing.B, fsys fs.FS) float64 {
	start, n := time.Now(), 0
	for ; time.Since(start) < 300*time.Millisecond; n++ {
		parse(b, fsys)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

// measure runs f over the specs and reports how much longer it takes than
// parsing alone, as measured beside it.
func measure(b *testing.B, f func(*testing.B, fs.FS)) {
	specs := benchmarked(b)
	for _, name := range sizes {
		fsys := specs[name]
		b.Run(name, func(b *testing.B) {
			alone := parsing(b, fsys)
			b.ReportAllocs()
			for b.Loop() {
				f(b, fsys)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/alone, "x-parse")
		})
	}
}

func BenchmarkParse(b *testing.B) { measure(b, parse) }

func BenchmarkCheck(b *testing.B) { measure(b, check) }

func BenchmarkGen(b *testing.B) { measure(b, gen) }
