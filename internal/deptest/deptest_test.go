// Package deptest holds the import table of ARCHITECTURE.md: who may import whom.
// It has no code, only the test that asks the go command.
package deptest

import (
	"cmp"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nbr-dev/nbr"

// A row says what the packages of one line of the table may import: nothing else.
type row struct {
	pkg     string // path.Match pattern of folders below the module
	ours    string // packages of this project, as patterns
	theirs  string // modules of others, by the names in the table below
	outside string // packages of the standard library that reach out of the process
}

// table is the whole architecture, lowest first: a package imports rows above its
// own. One that is in no row fails, and so does a row that fits no package.
var table = []row{
	// Two trees of plain data, which every package may import and which import none.
	{pkg: "nixgen"},
	{pkg: "verify/state"},

	// Which of several uplinks packets take: data and functions of it. What does so needs the
	// kernel, knows no spec, and changes routes and rules on the router.
	{pkg: "failover"},
	{pkg: "failover/watch", ours: "failover", theirs: "netlink sys dns", outside: "net os log/slog syscall"},

	// The language. Nothing in hcl knows what a router is.
	{pkg: "hcl/diag", theirs: "hcl wordwrap levenshtein width"},
	// The files of a spec are opened here and nowhere else: os is for os.Root.
	{pkg: "hcl/source", ours: "hcl/diag", theirs: "hcl", outside: "os syscall"},
	{pkg: "hcl/conf", ours: "hcl/diag hcl/source", theirs: "hcl cty"},
	// What editors and pages ask of a spec that is being written. It knows no protocol.
	{pkg: "hcl/language", ours: "hcl/conf hcl/source", theirs: "hcl"},

	// The closed core. net is for the text forms of addresses: see TestNoDialling.
	{pkg: "router", ours: "hcl/conf hcl/diag hcl/source", theirs: "hcl ssh dns", outside: "net"},
	// Records of DNS, as text.
	{pkg: "router/records", theirs: "dns"},
	// The first spec of a router, as text.
	{pkg: "router/starter", ours: "router hcl/diag hcl/source", theirs: "hcl cty", outside: "embed"},
	// A drawing of the core, as text. It knows no service. net is for the text forms, too.
	{pkg: "router/graph", ours: "router hcl/conf", outside: "net"},
	// What the other ends of tunnels are told, as text. It knows no private key and no service.
	{pkg: "router/wgclient", ours: "router", outside: "net"},
	// How a program's own questions are asked and read. It asks nothing by itself.
	{pkg: "verify/probe", ours: "verify/state", outside: "net syscall"},
	{pkg: "verify", ours: "verify/state verify/probe", theirs: "hcl"},
	// How questions of DNS get to a server of the router, over HTTPS as well.
	{pkg: "verify/dnsask", ours: "verify/probe", theirs: "dns", outside: "net net/http"},
	// How questions of MQTT get to the router's broker.
	{pkg: "verify/mqttask", ours: "verify/dnsask verify/probe", outside: "net"},
	// The certificates that the router's own servers show.
	{pkg: "verify/certificate", ours: "verify verify/dnsask verify/probe verify/state", outside: "net"},
	// Where packets went, by counters that others have read.
	{pkg: "verify/throughput", ours: "router verify"},
	// What probes send and hear, as bytes. It opens no socket.
	{pkg: "verify/packet", outside: "net"},
	// What is on a boot medium, from a reader that the caller has opened.
	{pkg: "firmware/image", ours: "verify/state", theirs: "zstd xz"},
	// The only package that writes to a device, and runs debugfs on it.
	{pkg: "firmware/flash", ours: "firmware/image", theirs: "sys", outside: "os os/exec syscall"},
	// The only packages beside failover/watch that touch a kernel or a socket, by what they look at. No service
	// imports them.
	{pkg: "verify/observe/root", outside: "os os/exec"},
	{pkg: "verify/observe/hardware", ours: "verify/observe/root verify/state firmware/image", outside: "os"},
	{pkg: "verify/observe/system", ours: "verify/observe/root verify/state", theirs: "sys", outside: "os"},
	{pkg: "verify/observe/netstate", ours: "verify/observe/root verify/state", theirs: "netlink wgctrl ethtool sys", outside: "net"},
	{pkg: "verify/observe/nft", ours: "verify/observe/root verify/state", outside: "os os/exec syscall"},
	{pkg: "verify/observe/sockets", ours: "verify/observe/root verify/probe verify/state", outside: "net os syscall"},
	{pkg: "verify/observe/systemd", ours: "verify/observe/root verify/state", theirs: "systemd dbus sys", outside: "os"},
	{pkg: "verify/observe/traffic", ours: "verify/observe/root verify/throughput", theirs: "netlink ethtool"},
	{pkg: "verify/observe/inject", ours: "verify/probe", theirs: "netlink sys bpf ebpf packet", outside: "net os"},
	{pkg: "verify/observe/wireless", ours: "verify/probe", theirs: "netlink sys", outside: "syscall"},
	{pkg: "verify/observe/host", ours: "verify/observe/inject verify/observe/root verify/observe/sockets verify/observe/wireless verify/probe", theirs: "sys", outside: "net os os/exec syscall"},
	{pkg: "verify/observe", ours: "verify/observe/* verify/state verify/probe", theirs: "sys", outside: "os syscall"},
	{pkg: "verify/report", ours: "verify hcl/diag", theirs: "hcl", outside: "embed"},
	// It keeps verifying: what it looks with and where it is served come from outside.
	{pkg: "verify/agent", ours: "verify verify/state verify/report", theirs: "prometheus", outside: "log/slog net/http"},
	{pkg: "service", ours: "router hcl/* nixgen verify verify/probe verify/state", theirs: "hcl cty", outside: "embed"},

	// The open rim: no service imports another, and none looks at a device.
	{pkg: "firmware/bootlog"},
	{pkg: "firmware", ours: "firmware/bootlog firmware/image service router hcl/conf hcl/diag nixgen verify verify/probe verify/state", theirs: "hcl cty", outside: "embed"},
	// The pages of the language, for the command line and docs/.
	{pkg: "service/reference", ours: "service hcl/conf hcl/language", theirs: "wordwrap", outside: "embed"},
	{pkg: "service/knot", ours: "service router router/records hcl/conf hcl/diag nixgen verify verify/certificate verify/dnsask verify/probe verify/state", theirs: "hcl cty dns", outside: "embed"},
	{pkg: "service/uplink", ours: "failover service router hcl/conf hcl/diag nixgen verify verify/probe verify/state", theirs: "hcl"},
	// What exporters serve, over HTTP.
	{pkg: "service/exporter", ours: "service router hcl/conf hcl/diag nixgen verify verify/probe verify/state", theirs: "hcl expfmt metrics", outside: "net net/http syscall"},
	// charon's socket speaks vici.
	{pkg: "service/strongswan", ours: "service router hcl/conf hcl/diag nixgen verify verify/certificate verify/probe verify/state", theirs: "hcl vici", outside: "net syscall"},
	{pkg: "service/*", ours: "service router router/records hcl/conf hcl/diag nixgen verify verify/certificate verify/dnsask verify/mqttask verify/packet verify/probe verify/state", theirs: "hcl cty ntp dns dhcp snmp radius", outside: "net embed"},
	// The list of what is built in. It is for the program that is composed of it.
	{pkg: "service/all", ours: "service service/* firmware"},
	// The harness for the tests of services, also of a third party's.
	{pkg: "service/servicetest", ours: "service router hcl/diag nixgen verify verify/state", theirs: "hcl cmp txtar", outside: "os flag testing"},

	// What is written to disk. flake does not know what a router is either.
	{pkg: "flake", ours: "nixgen", theirs: "sys gzip", outside: "os embed"},

	// The source of all of this, which the program carries.
	{pkg: ".", outside: "embed"},

	// What all of that is made of, and of when.
	{pkg: "flake/pins", ours: ". flake firmware service router hcl/diag", theirs: "hcl"},

	// What those want to know who watch it from elsewhere.
	{pkg: "flake/monitoring", ours: "service router", theirs: "yaml"},

	// The tree of specs, and what of it their blocks became.
	{pkg: "flake/compose", ours: "flake flake/monitoring flake/pins router service hcl/diag"},
	{pkg: "flake/explain", ours: "flake router service hcl/conf"},

	// nbr as a plugin of the Nix evaluator. It looks at nothing but the values that it is given: os is for
	// the program's arguments, unsafe for what the evaluator reads and writes of its memory.
	{pkg: "evaluator", ours: "service hcl/conf hcl/diag hcl/source nixgen", theirs: "hcl"},
	{pkg: "evaluator/host", ours: "evaluator firmware service", outside: "os unsafe"},
	{pkg: "cmd/nbr-wasm", ours: "evaluator/host service/all"},

	// The language server: a protocol over two streams. It opens files through what it is given, and writes none.
	{pkg: "lsp", ours: "service service/reference router hcl/*", theirs: "hcl jrpc2"},

	// The page: answers as functions of texts, the program that runs in a browser, and what makes the folder of files.
	{pkg: "site/page", ours: "flake flake/compose flake/explain flake/pins nixgen router router/graph router/starter service service/reference hcl/*", theirs: "hcl", outside: "embed"},
	{pkg: "site/wasm", ours: "firmware service service/all site/page"},
	{pkg: "site", ours: "hcl/source", outside: "embed os os/exec"},
	{pkg: "site/build", ours: "site", outside: "flag os"},

	// The command line, alone with flags, terminals, signals and exit codes.
	{pkg: "cmd", ours: ". evaluator failover failover/watch service service/reference router router/graph router/starter router/wgclient firmware firmware/bootlog firmware/flash firmware/image flake flake/compose flake/explain flake/monitoring flake/pins lsp nixgen hcl/* verify verify/* verify/observe/traffic", theirs: "cli hcl cty diff term systemd progressbar qrterminal wordwrap", outside: "os os/signal syscall embed log/slog net net/http"},
	{pkg: "cmd/nbr", ours: "cmd service/all"},

	// Test benches and tables. No package above imports them.
	{pkg: "internal/nstest", theirs: "sys", outside: "net os os/exec os/signal syscall testing"},
	{pkg: "internal/lab", ours: "internal/nstest", outside: "os os/exec syscall embed testing"},
	{pkg: "internal/bl2code"},
	{pkg: "internal/nixoptions", outside: "embed"},
	{pkg: "internal/nixoptions/*", ours: "internal/nixoptions internal/lab testdata/standin", outside: "os embed testing"},
	{pkg: "internal/evaluatortest", ours: "nixgen", theirs: "wazero", outside: "os os/exec testing"},
	{pkg: "internal/probetest", ours: "internal/nstest internal/lab verify/observe verify/packet verify/probe", theirs: "packet sys", outside: "net os testing"},
	{pkg: "internal/looktest", theirs: "cmp", outside: "os testing"},
	{pkg: "internal/testlog", outside: "os"},
	{pkg: "internal/mistakes", ours: "router service hcl/conf hcl/diag verify verify/state", theirs: "hcl txtar"},
	{pkg: "internal/agenttest"},
	{pkg: "internal/flaketest"},
	{pkg: "internal/imagetest"},
	{pkg: "internal/referee"},
	{pkg: "internal/udevtest"},
	{pkg: "internal/deptest"},
}

// modules are the names of others' packages in the table, with what they are for.
var modules = map[string]string{
	"hcl":         "github.com/hashicorp/hcl/v2",
	"cty":         "github.com/zclconf/go-cty",
	"wordwrap":    "github.com/mitchellh/go-wordwrap",             // paragraphs of diagnostics and pages
	"levenshtein": "github.com/agext/levenshtein",                 // did you mean
	"width":       "golang.org/x/text/width",                      // columns of a snippet
	"ssh":         "golang.org/x/crypto/ssh",                      // reads public keys
	"sys":         "golang.org/x/sys",                             // renameat2, flock
	"netlink":     "github.com/vishvananda/netlink",               // links, addresses, routes
	"systemd":     "github.com/coreos/go-systemd/v22",             // units
	"dbus":        "github.com/godbus/dbus/v5",                    // the way to systemd
	"ethtool":     "github.com/safchain/ethtool",                  // counters of a switch, features of drivers
	"wgctrl":      "golang.zx2c4.com/wireguard/wgctrl",            // WireGuard devices
	"prometheus":  "github.com/prometheus/client_golang",          // the agent's metrics
	"expfmt":      "github.com/prometheus/common",                 // reads metrics of exporters
	"metrics":     "github.com/prometheus/client_model",           // the same, when they are read
	"ebpf":        "github.com/cilium/ebpf",                       // has packets arrive
	"packet":      "github.com/mdlayher/packet",                   // hears what leaves
	"bpf":         "golang.org/x/net/bpf",                         // and what of it matters
	"dhcp":        "github.com/insomniacslk/dhcp",                 // asks for a lease
	"dns":         "github.com/miekg/dns",                         // names of addresses, asks a resolver
	"ntp":         "github.com/beevik/ntp",                        // asks for the time
	"snmp":        "github.com/gosnmp/gosnmp",                     // asks for what monitoring systems see
	"radius":      "layeh.com/radius",                             // asks as an access point does
	"vici":        "github.com/strongswan/govici",                 // asks charon
	"xz":          "github.com/ulikunitz/xz",                      // packed programs in images
	"zstd":        "github.com/klauspost/compress/zstd",           // images
	"gzip":        "github.com/klauspost/compress/gzip",           // nbr's own source
	"qrterminal":  "github.com/mdp/qrterminal/v3",                 // QR codes of clients' configurations
	"progressbar": "github.com/schollz/progressbar/v3",            // stays in cmd
	"term":        "golang.org/x/term",                            // colour and width
	"cli":         "github.com/urfave/cli/v2",                     // stays in cmd
	"diff":        "github.com/rogpeppe/go-internal/diff",         // gen -diff
	"jrpc2":       "github.com/creachadair/jrpc2",                 // how editors and servers call each other
	"yaml":        "go.yaml.in/yaml/v3",                           // files of Prometheus
	"grafana":     "github.com/grafana/grafana-foundation-sdk/go", // tests: the types of a dashboard
	"wazero":      "github.com/tetratelabs/wazero",                // tests: runs WebAssembly
	"chromedp":    "github.com/chromedp/chromedp",                 // tests: the page in a browser
	"cmp":         "github.com/google/go-cmp",                     // tests
	"txtar":       "github.com/rogpeppe/go-internal/txtar",        // tests
}

// outside are the packages of the standard library that a row has to name.
var outside = []string{
	"embed", "flag", "log", "log/*", "net", "net/http", "net/rpc", "net/smtp", "os", "os/*",
	"plugin", "runtime/cgo", "syscall", "testing", "unsafe", "C",
}

type goPackage struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

// list asks the go command for the project's packages, on the router's system as
// well as on a Mac, in an evaluator and in a browser: files for one system only import, too.
func list(t *testing.T) map[string]goPackage {
	t.Helper()
	pkgs := map[string]goPackage{}
	for _, system := range []string{"linux/amd64", "darwin/arm64", "wasip1/wasm", "js/wasm"} {
		goos, goarch, _ := strings.Cut(system, "/")
		cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"/...")
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			var exit *exec.ExitError
			errors.As(err, &exit)
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p goPackage
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			name := below(p.ImportPath)
			old := pkgs[name]
			p.Imports = append(p.Imports, old.Imports...)
			p.GoFiles = append(p.GoFiles, old.GoFiles...)
			slices.Sort(p.GoFiles)
			p.GoFiles = slices.Compact(p.GoFiles)
			pkgs[name] = p
		}
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list found %d packages: the test looks at the wrong place", len(pkgs))
	}
	return pkgs
}

// below is a package's folder below the module, which itself is ".".
func below(importPath string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"), ".")
}

// fits tells whether one of the patterns fits the name.
func fits(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		if err != nil {
			panic(err)
		}
		return ok
	})
}

// find is the row of a package: the one of its name, or else the first whose pattern fits.
func find(pkg string) (row, bool) {
	i := place(pkg)
	if i < 0 {
		return row{}, false
	}
	return table[i], true
}

// place is the number of a package's row, -1 without one.
func place(pkg string) int {
	if i := slices.IndexFunc(table, func(r row) bool { return r.pkg == pkg }); i >= 0 {
		return i
	}
	return slices.IndexFunc(table, func(r row) bool { return fits([]string{r.pkg}, pkg) })
}

// refused tells why a row does not let a package import another, or "".
func (r row) refused(imported string) string {
	switch {
	case imported == module || strings.HasPrefix(imported, module+"/"):
		name := below(imported)
		if !fits(strings.Fields(r.ours), name) {
			return "the table does not let it import " + name
		}
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		for _, short := range strings.Fields(r.theirs) {
			if m := modules[short]; imported == m || strings.HasPrefix(imported, m+"/") {
				return ""
			}
		}
		return "the table does not let it import " + imported
	case fits(outside, imported) && !fits(strings.Fields(r.outside), imported):
		return "the table does not let it reach out of the process with " + imported
	}
	return ""
}

func TestTable(t *testing.T) {
	used := map[string]bool{}
	for name, p := range list(t) {
		r, ok := find(name)
		if !ok {
			t.Errorf("%s is in no row of the table: say there, and in the layers of ARCHITECTURE.md, what it is for", name)
			continue
		}
		used[r.pkg] = true
		slices.Sort(p.Imports)
		for _, imported := range slices.Compact(p.Imports) {
			if why := r.refused(imported); why != "" {
				t.Errorf("%s: %s", name, why)
			} else if imported == module || strings.HasPrefix(imported, module+"/") {
				if place(below(imported)) >= place(name) {
					t.Errorf("%s imports %s, whose row is not above its own", name, below(imported))
				}
			}
		}
	}
	for _, r := range table {
		if !used[r.pkg] {
			t.Errorf("no package fits the row of %s: remove it", r.pkg)
		}
		for _, short := range strings.Fields(r.theirs) {
			if modules[short] == "" {
				t.Errorf("the row of %s names %s, which is no module of the table", r.pkg, short)
			}
		}
	}
}

// The sentences of ARCHITECTURE.md that the table must keep true, whatever is changed
// in it: each is a package and an import that its row has to refuse.
func TestTableKeepsSentences(t *testing.T) {
	own := func(p string) string { return module + "/" + p }
	for _, tt := range []struct{ why, pkg, imported string }{
		{"nixgen is of the standard library only", "nixgen", own("router")},
		{"nixgen is of the standard library only", "nixgen", modules["hcl"]},
		{"verify/state is of the standard library only", "verify/state", own("hcl/diag")},
		{"verify/state is plain data", "verify/state", "net"},
		{"no service imports another", "service/kea", own("service/knot")},
		{"no service imports the list of services", "service/kea", own("service/all")},
		{"no service knows firmware", "service/kea", own("firmware")},
		{"no service looks at a device", "service/kea", own("verify/observe")},
		{"no service runs a program", "service/kea", "os/exec"},
		{"no service opens a file", "service/kea", "os"},
		{"no service talks netlink", "service/kea", "github.com/vishvananda/netlink"},
		{"no service changes the kernel", "service/uplink", own("failover/watch")},
		{"the choice of an uplink is a function", "failover", "net"},
		{"the watcher of uplinks knows no spec", "failover/watch", own("router")},
		{"the core knows no service", "router", own("service")},
		{"the core knows no Nix", "router", own("nixgen")},
		{"a drawing knows no service", "router/graph", own("service")},
		{"a drawing opens no file", "router/graph", "os"},
		{"diag knows nothing of ours", "hcl/diag", own("hcl/source")},
		{"source knows no values", "hcl/source", own("hcl/conf")},
		{"flake knows no router", "flake", own("router")},
		{"verify knows no router", "verify", own("router")},
		{"the agent looks at nothing itself", "verify/agent", own("verify/observe")},
		{"the agent looks at nothing itself", "verify/agent", "os"},
		{"the agent opens no socket", "verify/agent", "net"},
		{"flags stay in cmd", "service/kea", modules["cli"]},
		{"flags stay in cmd", "flake", modules["cli"]},
		{"nothing imports cmd", "flake", own("cmd")},
		{"only a command writes to a device", "firmware", own("firmware/flash")},
		{"flash knows no spec", "firmware/flash", own("firmware")},
		{"a third party chooses its kinds", "cmd", own("service/all")},
		{"a third party chooses its kinds", "evaluator/host", own("service/all")},
		{"a plugin looks at nothing", "evaluator", "os"},
		{"a plugin looks at nothing", "evaluator", own("verify/observe")},
		{"a plugin has no command line", "evaluator/host", own("cmd")},
		{"a plugin writes no tree", "evaluator", own("flake")},
		{"an editor's protocol stays in lsp", "hcl/language", modules["jrpc2"]},
		{"the language server writes no file", "lsp", "os"},
		{"the language server opens no socket", "lsp", "net"},
		{"the language server has no command line", "lsp", own("cmd")},
		{"the page looks at nothing", "site/page", "os"},
		{"the page looks at nothing", "site/page", own("verify/observe")},
		{"the page asks no other host", "site/page", "net"},
		{"the page has no command line", "site/page", own("cmd")},
		{"firmware is a component like the others", "service", own("firmware")},
	} {
		r, ok := find(tt.pkg)
		if !ok {
			t.Errorf("%s is in no row", tt.pkg)
			continue
		}
		if r.refused(tt.imported) == "" {
			t.Errorf("%s: the row of %s lets it import %s", tt.why, tt.pkg, tt.imported)
		}
	}
	for _, r := range table {
		if r.pkg != "cmd/nbr" && r.refused(own("cmd")) == "" {
			t.Errorf("nothing imports cmd but cmd/nbr, and the row of %s lets it", r.pkg)
		}
		if r.pkg != "cmd/nbr" && r.pkg != "cmd/nbr-wasm" && r.pkg != "site/wasm" && r.pkg != "service/all" && r.refused(own("service/all")) == "" {
			t.Errorf("the built-in list of kinds is for the programs and tests, and the row of %s lets it in", r.pkg)
		}
		if r.pkg != "cmd" && r.refused(modules["cli"]) == "" {
			t.Errorf("urfave/cli is for cmd, and the row of %s lets it in", r.pkg)
		}
		if r.pkg != "cmd" && r.pkg != "service/all" && r.pkg != "flake/pins" && r.pkg != "evaluator/host" && r.pkg != "site/wasm" && r.refused(own("firmware")) == "" {
			t.Errorf("firmware is for cmd, service/all, flake/pins, evaluator/host and site/wasm, and the row of %s lets it in", r.pkg)
		}
	}
}

// What the plugin and the page are made of neither looks at a machine nor writes to one, all the way down: a service
// brings how it judges, and not how its probes ask.
func TestPluginAndPageLookAtNothing(t *testing.T) {
	for _, tt := range []struct{ program, system string }{{"cmd/nbr-wasm", "wasip1"}, {"site/wasm", "js"}} {
		cmd := exec.Command("go", "list", "-deps", module+"/"+tt.program)
		cmd.Env = append(cmd.Environ(), "GOOS="+tt.system, "GOARCH=wasm")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, module+"/service/all") {
			t.Fatalf("%s: %d packages, and no service among them", tt.program, len(deps))
		}
		not := []string{
			module + "/cmd", module + "/failover/watch", module + "/firmware/flash", module + "/verify/observe", module + "/verify/agent",
			modules["cli"], modules["netlink"], modules["systemd"], modules["wgctrl"], modules["ebpf"], modules["packet"], modules["dhcp"], modules["wazero"],
			modules["chromedp"],
		}
		if tt.system == "wasip1" {
			not = append(not, module+"/flake") // the evaluator gets values, and the page shows files
		}
		for _, dep := range deps {
			for _, no := range not {
				if (dep == no || strings.HasPrefix(dep, no+"/")) && dep != module+"/"+tt.program {
					t.Errorf("%s has %s in it", tt.program, dep)
				}
			}
		}
	}
}

// Each package is in the layers of ARCHITECTURE.md, by its name or a pattern, and each name and
// pattern there is of a package.
func TestLayersNameEveryPackage(t *testing.T) {
	b, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, layers, _ := strings.Cut(string(b), "\n## The layers\n")
	layers, _, ok := strings.Cut(layers, "\n## ")
	if !ok {
		t.Fatal("ARCHITECTURE.md has no layers")
	}
	used := map[string]bool{}
	for line := range strings.Lines(layers) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
				used[m[1]] = false
			}
		}
	}
	for name := range list(t) {
		found := name == "." // which has the source of all of them
		for pattern := range used {
			if strings.HasPrefix(name, "internal/") && pattern == "internal/*" || fits([]string{pattern}, name) {
				found, used[pattern] = true, true
			}
		}
		if !found {
			t.Errorf("%s is in no layer of ARCHITECTURE.md", name)
		}
	}
	for pattern, is := range used {
		if !is {
			t.Errorf("ARCHITECTURE.md has %s in its layers, which is no package", pattern)
		}
	}
}

// text is what package net has that neither opens a socket nor asks the machine: text
// forms, and the types of what a probe's host has opened.
var text = []string{
	"ParseMAC", "HardwareAddr", "SplitHostPort", "JoinHostPort",
	"IP", "ParseIP", "IPNet", "ParseCIDR", "IPMask", "CIDRMask",
	"Conn", "Error", "OpError",
}

// Decoding a spec must give the same on every machine, so the rows that
// have net and not the machine itself may use it to read and write addresses and for
// nothing else.
func TestNoDialling(t *testing.T) {
	for name, p := range list(t) {
		if r, ok := find(name); !ok || !fits(strings.Fields(r.outside), "net") || fits(strings.Fields(r.outside), "os") {
			continue
		}
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "net" && !slices.Contains(text, sel.Sel.Name) {
					t.Errorf("%s: net.%s is more than text", fset.Position(sel.Pos()), sel.Sel.Name)
				}
				return true
			})
		}
	}
}
