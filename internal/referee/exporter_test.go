package referee_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	core "github.com/nbr-dev/nbr/router"
)

const exporterSpec = `
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
  allow    = ["metrics"]
}
zone "guests" {
  networks = [network.guests]
  allow    = ["ping"]
}
prefix_list "all" { permit = ["::/0 le 128"] }
bgp {
  as        = 65001
  router_id = "192.168.1.1"
  neighbor "other" {
    address      = "fd00:1::9"
    remote_as    = 65002
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
  }
}
ospf {
  router_id = "192.168.1.1"
  area "0" { networks = [network.lan] }
}
dns_zone "lab" {
  domain       = "lab.example.org"
  name_servers = ["ns.lab.example.org"]
  records      = ["ns.lab.example.org A 192.168.1.1"]
}
exporter "node" { networks = [network.lan] }
exporter "frr" {
  networks = [network.lan]
  port     = 19342
}
exporter "knot" { networks = [network.lan] }
`

// exporterArgs is how the module of NixOS starts an exporter (nixos/modules/services/monitoring/prometheus/exporters).
func exporterArgs(t *testing.T, g *generated, name string) []string {
	t.Helper()
	options, ok := g.at("services", "prometheus", "exporters", name).(map[string]any)
	if !ok || options["enable"] != true {
		t.Fatalf("the exporter %s is %v", name, options)
	}
	var args []string
	each := func(option, prefix string) {
		for _, v := range g.list(t, "services", "prometheus", "exporters", name, option) {
			args = append(args, prefix+v.(string))
		}
	}
	address, port := options["listenAddress"].(string), fmt.Sprint(options["port"])
	if name == "knot" {
		args = append(args, "knot-exporter", "--web-listen-addr", address, "--web-listen-port", port, "--knot-socket-path", "/run/knot/knot.sock", "--knot-socket-timeout", fmt.Sprint(options["knotSocketTimeout"]))
	} else {
		args = append(args, "prometheus-"+name+"-exporter")
		each("enabledCollectors", "--collector.")
		each("disabledCollectors", "--no-collector.")
		args = append(args, "--web.listen-address", address+":"+port)
	}
	each("extraFlags", "")
	return args
}

// asUser runs a program without privileges, as a user and in groups.
func asUser(user, group, groups string, args ...string) []string {
	more := "--clear-groups"
	if groups != "" {
		more = "--groups=" + groups
	}
	return append([]string{"setpriv", "--reuid", user, "--regid", group, more, "--bounding-set", "-all", "--no-new-privs"}, args...)
}

// Prometheus in the house gets the metrics of the machine, of FRR and of Knot DNS, over both versions of
// IP, and guests do not. What an exporter cannot tell of, nbr verify finds on its line, though the
// exporter runs and answers.
func TestExporters(t *testing.T) {
	t.Parallel()
	g := fromText(t, exporterSpec)
	router, host, guest := nstest.New(t, "router"), nstest.New(t, "host"), nstest.New(t, "guest")
	nstest.Link(t, router, "lan1", host, "eth0")
	nstest.Link(t, router, "lan2", guest, "eth0")
	load(t, router, ruleset(t, g))
	sysctls(t, router, g)
	ip(t, router, "link set lo up\naddr add 192.168.1.1/24 dev lan1\naddr add fd00:1::1/64 dev lan1 nodad\naddr add 192.168.2.1/24 dev lan2\n")
	ip(t, host, "addr add 192.168.1.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\n")
	ip(t, guest, "addr add 192.168.2.50/24 dev eth0\nroute add default via 192.168.2.1\n")
	files := frrFiles(t, g)
	maps.Copy(files, knotDNSFiles(t, g))
	root := lab.Rootfs(t, files)
	installNBR(t, root, "/usr/bin/nbr")
	if said := stageFRR(t, root, router, g); said != "" {
		t.Errorf("staging says %s", said)
	}
	root.Run(t, router, "install", "-d", "-o", "frr", "-g", "frr", "/run/frr")
	root.Run(t, router, "cp", g.text(t, "services", "frr", "configFile"), "/etc/frr/frr.conf")
	root.Daemon(t, router, "sh", "-ec", "/usr/lib/frr/frrinit.sh start; exec sleep infinity").Ready(t, func() error {
		_, err := root.Try(t, router, "vtysh", "-c", "show watchfrr")
		return err
	})
	knotd := startKnotDNS(t, root, router, "lab.example.org")
	root.Run(t, router, "chgrp", "knot", "/run/knot", "/run/knot/knot.sock") // the unit's user has them on NixOS

	running := map[string]*lab.Daemon{}
	stop := func(name string) {
		t.Helper()
		// They have no handler of SIGTERM, and the first process of a namespace gets no signal that it does
		// not handle.
		running[name].Signal(t, syscall.SIGKILL)
		running[name].Stop(t)
	}
	start := func(name string, command []string) {
		t.Helper()
		if running[name] != nil {
			stop(name)
		}
		running[name] = root.Daemon(t, router, command...)
	}
	nodeArgs, frrArgs, knotArgs := exporterArgs(t, g, "node"), exporterArgs(t, g, "frr"), exporterArgs(t, g, "knot")
	vty := g.text(t, "services", "prometheus", "exporters", "frr", "group")
	right := map[string][]string{
		"node": asUser("nobody", "nogroup", "", nodeArgs...),
		"frr":  asUser("nobody", vty, "", frrArgs...),
		"knot": asUser("nobody", "nogroup", "knot", knotArgs...),
	}
	for name, command := range right {
		start(name, command)
	}
	wrong := func() []string { return unmet(t, root, router, "exporter.*") }
	becomes(t, wrong, nil)

	get := func(from *nstest.NS, url string) (string, error) {
		return root.Try(t, from, "busybox", "wget", "-T", "2", "-qO-", url)
	}
	for url, want := range map[string]string{
		"http://192.168.1.1:9100/metrics":  `node_network_receive_bytes_total{device="lan1"}`,
		"http://[fd00:1::1]:9100/metrics":  `node_nf_conntrack_entries `,
		"http://[fd00:1::1]:19342/metrics": `frr_collector_up{collector="ospf"} 1`,
		"http://192.168.1.1:9433/metrics":  `knot_zone_serial{zone="lab.example.org."}`,
	} {
		if got, err := get(host, url); err != nil || !strings.Contains(got, "\n"+want) {
			t.Errorf("%s has no %s (%v):\n%s", url, want, err, got)
		}
	}
	// What the graphs of a dashboard are of is there.
	graphs := map[string]int{}
	for _, served := range core.Claimed[core.Scraped](g.spec.Router) {
		url := fmt.Sprintf("http://%s/metrics", served.At)
		got, err := get(host, url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		}
		for _, p := range core.Claimed[core.Panel](g.spec.Router) {
			for _, q := range p.Queries {
				for _, metric := range regexp.MustCompile(`\b`+served.Job+`_\w+`).FindAllString(q.Expr, -1) {
					graphs[served.Job]++
					if !regexp.MustCompile(`(?m)^` + metric + `[ {]`).MatchString(got) {
						t.Errorf("%s has no %s, which %q shows:\n%s", url, metric, p.Title, got)
					}
				}
			}
		}
	}
	if len(graphs) != 3 {
		t.Errorf("graphs of %v", graphs)
	}
	for _, url := range []string{"http://192.168.1.1:9100/metrics", "http://192.168.2.1:9100/metrics", "http://192.168.1.1:9433/metrics"} {
		if got, err := get(guest, url); err == nil {
			t.Errorf("a guest gets %s:\n%s", url, got)
		}
	}

	// An address that is missing takes the exporter away from no other network.
	ip(t, router, "addr del 192.168.1.1/24 dev lan1\n")
	start("node", right["node"])
	nstest.Wait(t, func() error {
		_, err := get(host, "http://[fd00:1::1]:9100/metrics")
		return err
	})
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\n")
	becomes(t, wrong, nil)

	without := func(args []string, flag string) []string {
		i := slices.Index(args, flag)
		if i < 0 {
			t.Fatalf("no %s in %q", flag, args)
		}
		return slices.Delete(slices.Clone(args), i, i+1)
	}
	everywhere := slices.Clone(nodeArgs)
	everywhere[slices.Index(everywhere, "--web.listen-address")+1] = ":9100"
	for _, b := range []struct {
		name    string
		command []string
		finds   []string
	}{
		{"node", asUser("nobody", "nogroup", "", without(nodeArgs, "--collector.conntrack")...), []string{"exporter.node/tells fail: nothing of conntrack"}},
		{"node", asUser("nobody", "nogroup", "", without(nodeArgs, "--web.listen-address=[fd00:1::1]:9100")...), []string{
			"exporter.node/answers/fd00:1::1 fail: no answer", "exporter.node/listen fail: 192.168.1.1",
		}},
		{"node", asUser("nobody", "nogroup", "", without(everywhere, "--web.listen-address=[fd00:1::1]:9100")...), []string{"exporter.node/listen fail: ::"}},
		{"node", asUser("nobody", "nogroup", "", append(slices.Clone(nodeArgs), "--web.telemetry-path=/others")...), []string{
			"exporter.node/answers/192.168.1.1 fail: status 404", "exporter.node/answers/fd00:1::1 fail: status 404", "exporter.node/tells fail: status 404",
		}},
		{"frr", asUser("nobody", vty, "", without(frrArgs, "--collector.bgp6")...), []string{"exporter.frr/tells fail: nothing of bgp6"}},
		// Not in the group of those who may ask FRR.
		{"frr", asUser("nobody", "nogroup", "", frrArgs...), []string{"exporter.frr/tells fail: nothing of bgp, bgp6, ospf"}},
		// Nor of those who may ask Knot DNS: it answers with nothing.
		{"knot", asUser("nobody", "nogroup", "", knotArgs...), []string{
			"exporter.knot/answers/192.168.1.1 fail: metrics, but none of knot", "exporter.knot/tells fail: nothing of lab.example.org.",
		}},
		{"knot", asUser("nobody", "nogroup", "knot", append(slices.Clone(knotArgs), "--no-zone-serial")...), []string{"exporter.knot/tells fail: nothing of lab.example.org."}},
	} {
		start(b.name, b.command)
		becomes(t, wrong, b.finds)
		start(b.name, right[b.name])
		becomes(t, wrong, nil)
	}
	knotd.Stop(t)
	becomes(t, wrong, []string{
		"exporter.knot/answers/192.168.1.1 fail: metrics, but none of knot", "exporter.knot/tells fail: nothing of lab.example.org.",
	})
	stop("node")
	becomes(t, wrong, []string{
		"exporter.knot/answers/192.168.1.1 fail", "exporter.knot/tells fail",
		"exporter.node/answers/192.168.1.1 fail: no answer", "exporter.node/answers/fd00:1::1 fail: no answer", "exporter.node/listen fail: not there", "exporter.node/tells fail: no answer",
	})
}
