package referee_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// capturedSpec has a network that Suricata looks at, with rules of a file.
const capturedSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}
network "out" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}
zone "lan" { networks = [network.lan] }
zone "out" { networks = [network.out] }
ids {
  capture = [network.lan]
  threads = 2
  rules   = ["local.rules"]
  events  = ["alert"]
}
`

const capturedRules = `# Of hosts of the house alone.
alert icmp $HOME_NET any -> any any (msg:"ping, \"of\" the house\; once"; itype:8; \
  sid:1000001; rev:1;)
alert udp any any -> any 5353 (msg:"mDNS"; sid:1000002; rev:1;)
`

// suricataYAML is the file that services.suricata makes of its settings and of the defaults that it
// has for those that nbr leaves out (nixos/modules/services/networking/suricata/settings.nix). JSON is
// YAML (YAML 1.2 section 1.3). The rules of each file are given by the file's name in rules.
func suricataYAML(t *testing.T, g *generated, rules map[string]string) string {
	t.Helper()
	settings := map[string]any{
		"default-log-dir": "/var/log/suricata", "default-rule-path": "/var/lib/suricata/rules",
		"host-mode": "auto", "pcap-file": map[string]any{"checksum-checks": "auto"},
		"reference-config-file": "/nix/store/suricata/etc/suricata/reference.config",
		"threshold-file":        "/nix/store/suricata/etc/suricata/threshold.config",
		"run-as":                map[string]any{"user": "suricata", "group": "suricata"},
		"logging": map[string]any{"default-log-level": "notice", "outputs": map[string]any{
			"console": map[string]any{"enable": true},
			"file":    map[string]any{"enable": true, "filename": "suricata.log", "level": "info"},
			"syslog":  map[string]any{"enable": false, "facility": "local5"},
		}},
	}
	own, ok := g.at("services", "suricata", "settings").(map[string]any)
	if !ok {
		t.Fatal("services.suricata has no settings")
	}
	maps.Copy(settings, own)
	settings["unix-command"].(map[string]any)["filename"] = "/run/suricata/suricata-command.socket"
	groups := settings["vars"].(map[string]any)["address-groups"].(map[string]any)
	groups["EXTERNAL_NET"] = "!$HOME_NET"
	var files []any
	for i, f := range settings["rule-files"].([]any) {
		name := path.Base(f.(string))
		if text, generated := strings.CutPrefix(f.(string), "text:"); generated {
			name = ownRules
			rules[name] = text
		} else if _, base, copied := strings.Cut(name, "-"); copied { // with a hash before it, as in the store
			name = base
		}
		if rules[name] == "" {
			t.Fatalf("no rules for file %d, %s", i, f)
		}
		files = append(files, suricataRules+name)
	}
	settings["rule-files"] = files
	return "%YAML 1.1\n---\n" + toJSON(t, settings) + "\n"
}

// suricataRules is where the tests have the files of rules.
const suricataRules = "/nix/store/rules/"

// ownRules is the file with the rules of block blocks there. In the store a hash tells it from a file of
// the spec with nbr's name for it.
const ownRules = "blocks.nbr.rules"

// suricataFiles are what Suricata reads besides, by where nixpkgs has it and where Debian has it.
var suricataFiles = map[string]string{
	"/nix/store/suricata/etc/suricata/classification.config": "/etc/suricata/classification.config",
	"/nix/store/suricata/etc/suricata/reference.config":      "/etc/suricata/reference.config",
	"/nix/store/suricata/etc/suricata/threshold.config":      "/etc/suricata/threshold.config",
}

// suricataRoot is a router's file system with what Suricata reads.
func suricataRoot(t *testing.T, files lab.Files) *lab.Root {
	t.Helper()
	root := lab.Rootfs(t, files)
	read := func(name string) string {
		b, err := os.ReadFile(root.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for store, debian := range suricataFiles {
		root.Write(t, store, read(debian))
	}
	// What the module and its unit make.
	root.Write(t, "/etc/passwd", read("/etc/passwd")+"suricata:x:990:990::/:/bin/false\n")
	root.Write(t, "/etc/group", read("/etc/group")+"suricata:x:990:\n")
	for _, dir := range []string{"/run/suricata", "/var/log/suricata"} {
		root.Write(t, dir+"/", "")
		if err := os.Chown(root.Path(dir), 990, 990); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// An eve is what Suricata logs, as journald would get it.
type eve struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	Type  string `json:"event_type"`
	Alert struct {
		ID        int `json:"signature_id"`
		Signature string
		Action    string
	}
	Source string `json:"src_ip"`
}

// logged listens on the socket of syslog(3).
func logged(t *testing.T, socket string) *eve {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	out := &eve{}
	go func() {
		b := make([]byte, 1<<16)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			_, text, ok := strings.Cut(string(b[:n]), ": ")
			var e event
			if !ok || json.Unmarshal([]byte(text), &e) != nil {
				continue
			}
			out.mu.Lock()
			out.events = append(out.events, e)
			out.mu.Unlock()
		}
	}()
	return out
}

// of are the events of a rule.
func (e *eve) of(rule int) []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.events), func(e event) bool { return e.Alert.ID != rule })
}

// Suricata gets copies of a network's packets and tells of those that a rule fits. nbr verify says what
// is otherwise, on its line: Suricata itself runs in all of these states.
func TestIntrusionDetection(t *testing.T) {
	t.Parallel()
	text := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1) + capturedSpec
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(text)}, "local.rules": {Data: []byte(capturedRules)}})
	rules := map[string]string{"local.rules": capturedRules}
	yaml := suricataYAML(t, g, rules)
	journal := g.text(t, "environment", "etc", "systemd/journald@suricata.conf", "text")
	root := suricataRoot(t, lab.Files{
		"/etc/nbr/spec/router.hcl": text, "/etc/nbr/spec/local.rules": capturedRules,
		"/etc/systemd/journald@suricata.conf": journal,
	})
	installNBR(t, root, "/usr/bin/nbr")
	router, host := nstest.New(t, "router"), nstest.New(t, "host")
	nstest.Link(t, router, "lan1", host, "eth0")
	nstest.Link(t, router, "wan", nstest.New(t, "internet"), "eth0")
	ip(t, router, "addr add 10.1.0.1/24 dev lan1\n")
	ip(t, host, "addr add 10.1.0.5/24 dev eth0\naddr add 10.9.9.9/24 dev eth0\n")
	log := logged(t, root.Path("/dev/log"))

	var daemon *lab.Daemon
	start := func(yaml, rules string) {
		if daemon != nil {
			daemon.Stop(t)
			os.Remove(root.Path("/run/suricata/suricata-command.socket"))
		}
		root.Write(t, "/nix/store/suricata.yaml", yaml)
		root.Write(t, suricataRules+"local.rules", rules)
		daemon = root.Daemon(t, router, "suricata", "-c", "/nix/store/suricata.yaml", "-i", "lan1") // as the module has it
		daemon.Ready(t, func() error {
			_, err := os.Stat(root.Path("/run/suricata/suricata-command.socket"))
			return err
		})
	}
	change := func(old, new string) string {
		t.Helper()
		if !strings.Contains(yaml, old) {
			t.Fatalf("no %q in %s", old, yaml)
		}
		return strings.Replace(yaml, old, new, 1)
	}
	// Packets come all the time.
	ping := host.Command(t, "ping", "-q", "-i", "0.1", "10.1.0.1")
	if err := ping.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ping.Process.Kill(); _ = ping.Wait() })

	lines := strings.Split(text, "\n")
	wrong := func() []string {
		out, err := root.Try(t, router, "/usr/bin/nbr", "verify", "-format", "json", "-only", "ids", "/etc/nbr/spec")
		var report struct{ Results []finding }
		if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil || len(report.Results) < 9 {
			t.Fatalf("nbr verify: %v\n%s", err, out)
		}
		var got []string
		for _, f := range report.Results {
			if f.Status != "pass" && f.ID != "ids/unit" {
				got = append(got, fmt.Sprintf("%s | %s %s: %s", strings.TrimSpace(lines[f.Range.Line-1]), f.ID, f.Status, f.Got))
			}
		}
		slices.Sort(got)
		return got
	}

	if _, err := root.Try(t, router, "suricata", "-T", "-c", "/nix/store/none.yaml"); err == nil {
		t.Error("suricata -T takes what is not there")
	}
	start(yaml, rules["local.rules"])
	root.Run(t, router, "suricata", "-T", "-c", "/nix/store/suricata.yaml")
	becomes(t, wrong, nil)
	nstest.Wait(t, func() error {
		if len(log.of(1000001)) == 0 {
			return fmt.Errorf("no alert is logged; %v", log.events)
		}
		return nil
	})
	if e := log.of(1000001)[0]; e.Type != "alert" || e.Alert.Signature != `ping, "of" the house; once` || e.Source != "10.1.0.5" && e.Source != "10.1.0.1" {
		t.Errorf("logged was %+v", e)
	}

	for _, b := range []struct {
		name, yaml, rules string
		finds             []string
	}{
		{"a rule that is refused", yaml, capturedRules + "alert tcp any any -> any any (msg:\"x\"; nonsense; sid:1000003;)\n", []string{
			`rules   = ["local.rules"] | ids/loaded fail: 2 rules, 1 failed: /nix/store/rules/local.rules: `,
			`rules   = ["local.rules"] | ids/file/local.rules fail: sha256 `,
		}},
		{"no rule", yaml, "# none\n", []string{`rules   = ["local.rules"] | ids/loaded fail: 0 rules`, `rules   = ["local.rules"] | ids/file/local.rules fail: sha256 `}},
		{"another home", change("[10.1.0.0/24]", "[10.9.9.0/24]"), capturedRules, []string{"ids { | ids/home fail: [10.9.9.0/24]"}},
		{"another log", change(`"alert"`, `"flow"`), capturedRules, []string{`events  = ["alert"] | ids/events fail: flow`}},
		{"one thread", change(`"threads": 2`, `"threads": 1`), capturedRules, []string{"threads = 2 | ids/threads fail: 1"}},
		{"a filter that hides all", change(`"threads": 2`, `"bpf-filter": "host 192.0.2.99", "threads": 2`), capturedRules, []string{
			"capture = [network.lan] | ids/sees/lan1 fail: it has seen none of the ",
		}},
	} {
		t.Logf("broken: %s", b.name)
		start(b.yaml, b.rules)
		becomes(t, wrong, b.finds)
	}
	start(yaml, capturedRules)
	becomes(t, wrong, nil)
	root.Write(t, "/etc/systemd/journald@suricata.conf", strings.Replace(journal, "SystemMaxUse=64M", "SystemMaxUse=4G", 1))
	becomes(t, wrong, []string{"ids { | ids/log/SystemMaxUse fail: 4G"})
	root.Write(t, "/etc/systemd/journald@suricata.conf", journal)
	daemon.Signal(t, syscall.SIGKILL)
	becomes(t, wrong, []string{
		"capture = [network.lan] | ids/sees/lan1 unknown", `events  = ["alert"] | ids/events unknown`, "ids { | ids/home unknown",
		`rules   = ["local.rules"] | ids/loaded unknown`, `rules   = ["local.rules"] | ids/file/local.rules unknown`, "threads = 2 | ids/threads unknown",
	})
}

// inlineSpec has a policy that is inspected, with what is blocked, and one that is not.
const inlineSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}
network "out" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}
zone "lan" { networks = [network.lan] }
zone "out" { networks = [network.out] }
policy "plain" {
  from      = [zone.lan]
  to        = [zone.out]
  action    = "accept"
  protocols = ["tcp"]
  ports     = ["81"]
}
policy "web" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
firewall { flow_offload = true }
ids {
  inspect = [policy.web]
  fail    = "closed"
  threads = 2

  block "bad" {
    sni       = ["bad.example"]
    http_host = ["bad.example"]
    dns       = ["bad.example"]
    app       = ["ssh"]
  }
}
`

// idsFiles are what a guest needs to have Suricata between its namespaces, closed and open.
func idsFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for way, text := range map[string]string{"closed": inlineSpec, "open": strings.Replace(inlineSpec, `"closed"`, `"open"`, 1)} {
		g := fromText(t, text)
		rules := map[string]string{}
		files["/ids/"+way+".yaml"] = write(t, suricataYAML(t, g, rules))
		files["/ids/"+way+".nft"] = write(t, ruleset(t, g))
		files[suricataRules+ownRules] = write(t, rules[ownRules])
		files["/ids/"+way+"/router.hcl"] = write(t, strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)+text)
		start := g.text(t, "systemd", "services", "suricata", "serviceConfig", "ExecStart")
		if want := "!/nix/store/suricata/bin/suricata -c /nix/store/suricata.yaml -q 0 -q 1"; start != want {
			t.Errorf("Suricata is started by %q, not %q", start, want)
		}
		files["/etc/systemd/journald@suricata.conf"] = write(t, g.text(t, "environment", "etc", "systemd/journald@suricata.conf", "text"))
	}
	programs := []string{"/usr/bin/suricata"}
	for _, debian := range suricataFiles {
		programs = append(programs, debian)
	}
	tools := lab.Tools(t, programs...)
	for store, debian := range suricataFiles {
		files[store] = tools[debian]
	}
	maps.Copy(files, tools)
	return files
}

// suricataConf is what suricata -T reads, with the rules of nbr's own beside it: a reader has one file.
func suricataConf(t *testing.T, g *generated) string {
	if g.at("services", "suricata", "enable") != true {
		return ""
	}
	t.Helper()
	// Nix says where in the store a file of the spec would be, and does not put it there.
	rules := map[string]string{}
	if err := fs.WalkDir(g.folder, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(g.folder, file)
		rules[path.Base(file)] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	yaml := suricataYAML(t, g, rules)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if strings.Contains(yaml, suricataRules+name) {
			fmt.Fprintf(&b, "## %s\n%s", suricataRules+name, rules[name])
		}
	}
	return b.String() + "## /tmp/suricata.yaml\n" + yaml
}
