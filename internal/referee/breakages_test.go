package referee_test

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A breakage is one thing that goes wrong on a router, and what nbr verify must make of it.
type breakage struct {
	name  string
	wreck string   // commands of the router that break it
	isp   string   // commands of the ISP that do
	mend  string   // commands of the router that make it whole
	ispUp string   // commands of the ISP that do
	finds []string // the checks that must fail; none if it is nothing to condemn
	line  string   // the beginning of the line of the spec that the first of them names
	also  []string // what may fail with them because it depends on them, as patterns
}

// noOffers are the checks that know nothing, or see nothing, when no client can be offered an
// address, and noUpstream those of which the same is true without a way out.
var (
	noOffers   = []string{"dhcp4.lan/offer*", "dhcp4.lan/reservation/*"}
	noUpstream = []string{"zone.wan/closed/*", "resolver/resolves", "resolver/dnssec", "resolver/bogus"}
)

// askedFirst brings back what goes with a link or an address: the house's route in the table that
// is asked before main. IfState would, at the next switch.
const askedFirst = "ip route replace 192.168.178.0/24 dev br-lan src 192.168.178.1 table 130"

// breakages are many, and each is alone when it happens.
var breakages = []breakage{
	{
		name:  "address removed",
		wreck: "ip addr del 192.168.178.1/24 dev br-lan",
		mend:  "ip addr add 192.168.178.1/24 dev br-lan; " + askedFirst,
		finds: []string{"network.lan/ipv4"}, line: `  ipv4 = "192.168.178.1/24"`,
		// What has the address would be another host, so nothing is asked there. Routes with it
		// for a source go with it.
		also: []string{"resolver/answers/192.168.178.1", "ssh/greets/192.168.178.1:22", "network.lan/ahead/*"},
	},
	{
		name:  "address with another prefix",
		wreck: "ip addr add 192.168.178.1/25 dev br-lan; ip addr del 192.168.178.1/24 dev br-lan",
		mend:  "ip addr add 192.168.178.1/24 dev br-lan; ip addr del 192.168.178.1/25 dev br-lan",
		finds: []string{"network.lan/ipv4", "interfaces/foreign/addresses"}, line: `  ipv4 = "192.168.178.1/24"`,
	},
	{
		name:  "one more address",
		wreck: "ip addr add 10.66.0.1/24 dev br-lan",
		mend:  "ip addr del 10.66.0.1/24 dev br-lan",
		finds: []string{"interfaces/foreign/addresses"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "one more IPv6 address on the wan",
		wreck: "ip addr add 2001:db8:bad::1/64 dev wan",
		mend:  "ip addr del 2001:db8:bad::1/64 dev wan",
		finds: []string{"interfaces/foreign/addresses"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "bridge down",
		wreck: "ip link set br-lan down",
		mend:  "ip link set br-lan up; " + askedFirst,
		finds: []string{"network.lan/up"}, line: `network "lan" {`,
		also: append([]string{"network.lan/ahead/*"}, noOffers...),
	},
	{
		name:  "upstream down",
		wreck: "ip link set wan down",
		mend:  "ip link set wan up",
		finds: []string{"network.wan/up"}, line: `network "wan" {`,
		also: append([]string{"network.wan/ipv4", "network.wan/default"}, noUpstream...),
	},
	{
		name:  "port down",
		wreck: "ip link set lan2 down",
		mend:  "ip link set lan2 up",
		finds: []string{"bridge.br-lan/port/lan2/up"}, line: `  ports = [`,
	},
	{
		name:  "port not in its bridge",
		wreck: "ip link set lan2 nomaster",
		mend:  "ip link set lan2 master br-lan",
		finds: []string{"bridge.br-lan/port/lan2", "bridge.br-lan/port/lan2/flags"}, line: `  ports = [`,
	},
	{
		name:  "upstream in the bridge of the house",
		wreck: "ip link set wan master br-lan",
		mend:  "ip link set wan nomaster",
		finds: []string{"network.wan/master"}, line: `  link = port.wan`,
		also: append([]string{"network.wan/*", "dhcp4.lan/*"}, noUpstream...),
	},
	{
		name:  "foreign port in the bridge",
		wreck: "ip tuntap add tap9 mode tap; ip link set tap9 master br-lan",
		mend:  "ip link del tap9",
		finds: []string{"interfaces/foreign/links"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "foreign link",
		wreck: "ip link add name vx9 type vxlan id 9 dstport 4789 remote 192.168.178.9 dev br-lan",
		mend:  "ip link del vx9",
		finds: []string{"interfaces/foreign/links"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "wrong MTU",
		wreck: "ip link set br-lan mtu 1400",
		mend:  "ip link set br-lan mtu 1500",
		finds: []string{"bridge.br-lan/mtu"}, line: `bridge "br-lan" {`,
	},
	{
		name:  "undeclared spanning tree",
		wreck: "ip link set br-lan type bridge stp_state 1",
		mend:  "ip link set br-lan type bridge stp_state 0",
		finds: []string{"bridge.br-lan/stp"}, line: `bridge "br-lan" {`,
	},
	{
		name:  "hairpin port",
		wreck: "bridge link set dev lan1 hairpin on",
		mend:  "bridge link set dev lan1 hairpin off",
		finds: []string{"bridge.br-lan/port/lan1/flags"}, line: `  ports = [`,
	},
	{
		name:  "isolated port",
		wreck: "bridge link set dev lan1 isolated on",
		mend:  "bridge link set dev lan1 isolated off",
		finds: []string{"bridge.br-lan/port/lan1/flags"}, line: `  ports = [`,
	},
	{
		name:  "permanent neighbour",
		wreck: "ip neigh add 192.168.178.77 lladdr 02:00:00:00:00:77 dev br-lan nud permanent",
		mend:  "ip neigh del 192.168.178.77 dev br-lan",
		finds: []string{"interfaces/foreign/neighbours"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "foreign route",
		wreck: "ip route add 10.99.0.0/16 via 192.168.178.77",
		mend:  "ip route del 10.99.0.0/16",
		finds: []string{"interfaces/foreign/routes"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "no default route",
		wreck: "ip route del default",
		mend:  "dhcpcd --rebind wan",
		finds: []string{"network.wan/default"}, line: `  ipv4 = "dhcp"`,
		also: noUpstream,
	},
	{
		name:  "foreign policy rule",
		wreck: "ip rule add from 10.1.1.0/24 table 100 priority 500",
		mend:  "ip rule del priority 500",
		finds: []string{"interfaces/foreign/rules"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "house not asked for first",
		wreck: "ip rule del priority 13000 to 192.168.178.0/24",
		mend:  "ip rule add priority 13000 to 192.168.178.0/24 lookup 130",
		finds: []string{"network.lan/ahead/192.168.178.0/24"}, line: `  ipv4 = "192.168.178.1/24"`,
	},
	{
		name:  "no forwarding of IPv4",
		wreck: "sysctl -qw net.ipv4.conf.all.forwarding=0",
		mend:  "sysctl -qw net.ipv4.conf.all.forwarding=1",
		finds: []string{"interfaces/sysctl/net.ipv4.conf.all.forwarding"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "no forwarding of IPv6",
		wreck: "sysctl -qw net.ipv6.conf.all.forwarding=0",
		mend:  "sysctl -qw net.ipv6.conf.all.forwarding=1",
		finds: []string{"interfaces/sysctl/net.ipv6.conf.all.forwarding"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "forwarding unit stopped",
		wreck: "systemctl stop nbr-forwarding",
		mend:  "systemctl start nbr-forwarding",
		finds: []string{"interfaces/sysctl/net.ipv4.conf.all.forwarding", "interfaces/sysctl/net.ipv6.conf.all.forwarding"},
		line:  `router "bpi-r4" {`,
	},
	{
		name:  "rule deleted",
		wreck: `nft delete rule inet nbr input_lan handle $(nft -a list chain inet nbr input_lan | sed -n 's/.*tcp dport 22 .*handle //p')`,
		mend:  "systemctl reload nftables",
		finds: []string{"zone.lan/rules"}, line: `zone "lan" {`,
		also: []string{"firewall/ruleset"},
	},
	{
		name:  "masquerading gone",
		wreck: `nft delete rule inet nbr nat_out handle $(nft -a list chain inet nbr nat_out | sed -n 's/.*masquerade .*handle //p')`,
		mend:  "systemctl reload nftables",
		finds: []string{"policy.internet/rules"}, line: `policy "internet" {`,
		also: []string{"firewall/ruleset"},
	},
	{
		name:  "undeclared rule",
		wreck: "nft insert rule inet nbr input tcp dport 23 accept",
		mend:  "systemctl reload nftables",
		finds: []string{"firewall/ruleset"}, line: `router "bpi-r4" {`,
	},
	{
		name: "rules in another order",
		wreck: `rule=$(nft -s list chain inet nbr input_lan | sed -n 's/^\t\t\(.*tcp dport 22 .*\)/\1/p')
			nft delete rule inet nbr input_lan handle $(nft -a list chain inet nbr input_lan | sed -n 's/.*tcp dport 22 .*handle //p')
			nft add rule inet nbr input_lan "$rule"`,
		mend:  "systemctl reload nftables",
		finds: []string{"zone.lan/rules"}, line: `zone "lan" {`,
		also: []string{"firewall/ruleset"},
	},
	{
		// Nothing passes as yet, for the chain's policy drops as well: but a reload would let
		// packets through.
		name:  "final drop gone",
		wreck: `nft delete rule inet nbr forward handle $(nft -a list chain inet nbr forward | sed -n 's/.* handle //p' | tail -n1)`,
		mend:  "systemctl reload nftables",
		finds: []string{"firewall/ruleset"}, line: `router "bpi-r4" {`,
		also: []string{"firewall/rules"},
	},
	{
		name: "input is open",
		wreck: `nft chain inet nbr input '{ policy accept; }'
			nft delete rule inet nbr input handle $(nft -a list chain inet nbr input | sed -n 's/.* handle //p' | tail -n1)`,
		mend:  "systemctl reload nftables",
		finds: []string{"firewall/ruleset", "zone.wan/closed/wan/tcp/22"}, line: `router "bpi-r4" {`,
		also: []string{"zone.wan/closed/*", "firewall/rules"},
	},
	{
		name:  "table flushed",
		wreck: "nft flush table inet nbr",
		mend:  "systemctl reload nftables",
		finds: []string{"firewall/rules", "zone.lan/rules", "zone.wan/rules", "zone.vpn/rules", "policy.internet/rules", "dhcp_client/rules", "firewall/ruleset"},
		line:  `router "bpi-r4" {`,
		also:  []string{"resolver/*", "ssh/greets/*", "policy.*/rules"}, // what is left of it drops everything
	},
	{
		name:  "table deleted",
		wreck: "nft delete table inet nbr",
		mend:  "systemctl reload nftables",
		finds: []string{"firewall/table"}, line: `router "bpi-r4" {`,
		also: []string{"*/rules", "firewall/ruleset", "zone.wan/closed/*"},
	},
	{
		name:  "firewall stopped, and forwarding with it",
		wreck: "systemctl stop nftables",
		mend:  "systemctl start nftables",
		finds: []string{"firewall/table", "firewall/guard", "interfaces/sysctl/net.ipv4.conf.all.forwarding", "interfaces/sysctl/net.ipv6.conf.all.forwarding"},
		line:  `router "bpi-r4" {`,
		also:  []string{"*/rules", "firewall/ruleset", "firewall/guard/unit"},
	},
	{
		name:  "minimal firewall beside the whole one",
		wreck: "nft -f /etc/nbr/guard.nft",
		mend:  "systemctl restart nbr-guard-lifted",
		finds: []string{"firewall/guard"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "nothing that brings the minimal firewall back",
		wreck: "systemctl stop nbr-guard-lifted; nft delete table inet nbr-guard",
		mend:  "systemctl start nbr-guard-lifted",
		finds: []string{"firewall/guard/unit"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "another program's table",
		wreck: "nft add table ip filter; nft add chain ip filter INPUT '{ type filter hook input priority 0; }'",
		mend:  "nft delete table ip filter",
	},
	{
		name:  "DHCP server stopped",
		wreck: "systemctl stop kea-dhcp4-server",
		mend:  "systemctl start kea-dhcp4-server",
		finds: []string{"dhcp4.lan/unit", "dhcp4.lan/offer", "dhcp4.lan/reservation/nas"}, line: `dhcp4 "lan" {`,
		also: noOffers,
	},
	{
		name:  "DHCP server bound to nothing",
		wreck: kea(`.["interfaces-config"].interfaces = []`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer", "dhcp4.lan/reservation/nas"}, line: `  pool    = [`,
		also: noOffers,
	},
	{
		name:  "DHCP server on the wan",
		wreck: kea(`.["interfaces-config"].interfaces = ["wan"] | .subnet4[0].interface = "wan"`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer", "dhcp4.lan/reservation/nas"}, line: `  pool    = [`,
		also: noOffers,
	},
	{
		name:  "another pool",
		wreck: kea(`.subnet4[0].pools = [{pool: "192.168.178.200 - 192.168.178.220"}]`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer"}, line: `  pool    = [`,
	},
	{
		name:  "pool used up",
		wreck: kea(`.subnet4[0].pools = []`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer"}, line: `  pool    = [`,
		also: noOffers,
	},
	{
		name:  "clients get another gateway",
		wreck: kea(`.subnet4[0]["option-data"][0].data = "192.168.178.2"`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer/router"}, line: `  network = network.lan`,
	},
	{
		name:  "clients get another name server",
		wreck: kea(`.subnet4[0]["option-data"][1].data = "192.0.2.53"`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer/dns"}, line: `  network = network.lan`,
	},
	{
		name:  "clients get another prefix",
		wreck: kea(`.subnet4[0].subnet = "192.168.0.0/16"`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer/prefix"}, line: `  network = network.lan`,
	},
	{
		name:  "short leases",
		wreck: kea(`.subnet4[0]["valid-lifetime"] = 60`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/offer/lease"}, line: `dhcp4 "lan" {`,
	},
	{
		name:  "reservation forgotten",
		wreck: kea(`.subnet4[0].reservations = []`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/reservation/nas"}, line: `    ipv4 = "192.168.178.10"`,
	},
	{
		name:  "resolver stopped",
		wreck: "systemctl stop knot-resolver",
		mend:  "systemctl start knot-resolver",
		finds: []string{"resolver/unit", "resolver/listen/udp", "resolver/listen/tcp", "resolver/answers/192.168.178.1", "resolver/resolves"},
		line:  `resolver {`,
		also:  []string{"resolver/*"},
	},
	{
		name:  "resolver refuses the network",
		wreck: knot(`.views[2].answer = "refused"`),
		mend:  unknot,
		finds: []string{"resolver/answers/192.168.178.1"}, line: `  networks = [network.lan]`,
	},
	{
		name:  "resolver open to the world",
		wreck: knot(`.network.listen[1].interface += ["198.51.100.50"] | .views[0].answer = "allow"`) + "; nft insert rule inet nbr input udp dport 53 accept",
		mend:  unknot + "; systemctl reload nftables",
		finds: []string{"resolver/listen/udp", "resolver/listen/tcp", "zone.wan/closed/wan/udp/53", "firewall/ruleset"}, line: `  networks = [network.lan]`,
	},
	{
		name:  "resolver believes everything",
		wreck: knot(`.dnssec = {enable: false}`) + "; kresctl cache clear",
		mend:  unknot,
		finds: []string{"resolver/dnssec", "resolver/bogus"}, line: `resolver {`,
	},
	{
		name:  "resolver cut off",
		isp:   "nft 'add table inet cut; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in meta l4proto { tcp, udp } th dport 53 drop'",
		wreck: "kresctl cache clear",
		ispUp: "nft delete table inet cut",
		mend:  "true",
		finds: []string{"resolver/resolves"}, line: `resolver {`,
		also: []string{"resolver/dnssec", "resolver/bogus"},
	},
	{
		name:  "sshd stopped",
		wreck: "systemctl stop sshd",
		mend:  "systemctl start sshd",
		finds: []string{"ssh/unit", "ssh/listen", "ssh/greets/192.168.178.1:22"}, line: `ssh {`,
	},
	{
		name:  "sshd on another port",
		wreck: "sed -i.old 's/:22$/:2222/; s/^Port 22/Port 2222/' /etc/ssh/sshd_config; systemctl restart sshd",
		mend:  "mv /etc/ssh/sshd_config.old /etc/ssh/sshd_config; systemctl restart sshd",
		finds: []string{"ssh/listen", "ssh/greets/192.168.178.1:22", "interfaces/foreign/listeners"}, line: `  networks = [network.lan]`,
	},
	{
		name:  "sshd on every address",
		wreck: "sed -i.old /^ListenAddress/d /etc/ssh/sshd_config; systemctl restart sshd",
		mend:  "mv /etc/ssh/sshd_config.old /etc/ssh/sshd_config; systemctl restart sshd",
		finds: []string{"ssh/listen"}, line: `  networks = [network.lan]`,
	},
	{
		name:  "sshd open to the world",
		wreck: "sed -i.old /^ListenAddress/d /etc/ssh/sshd_config; systemctl restart sshd; nft insert rule inet nbr input tcp dport 22 accept",
		mend:  "mv /etc/ssh/sshd_config.old /etc/ssh/sshd_config; systemctl restart sshd; systemctl reload nftables",
		finds: []string{"ssh/listen", "zone.wan/closed/wan/tcp/22", "firewall/ruleset"}, line: `  networks = [network.lan]`,
	},
	{
		name:  "something else on sshd's port",
		wreck: "systemctl stop sshd; systemd-run --quiet --unit=foreign nc -lk 192.168.178.1 22",
		mend:  "systemctl stop foreign; systemctl start sshd",
		finds: []string{"ssh/unit", "ssh/greets/192.168.178.1:22"}, line: `ssh {`,
	},
	{
		name:  "foreign listener",
		wreck: "systemd-run --quiet --unit=foreign nc -lk 8080",
		mend:  "systemctl stop foreign",
		finds: []string{"interfaces/foreign/listeners"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "secret missing",
		wreck: "mv /var/lib/secrets/wg0 /var/lib/secrets/old",
		mend:  "mv /var/lib/secrets/old /var/lib/secrets/wg0",
		finds: []string{"secret.wg0/file"}, line: `secret "wg0" {`,
	},
	{
		name:  "secret that everybody can read",
		wreck: "chmod 444 /var/lib/secrets/wg0",
		mend:  "chmod 400 /var/lib/secrets/wg0",
		finds: []string{"secret.wg0/file"}, line: `secret "wg0" {`,
	},
	{
		name:  "secret of another user",
		wreck: "chown nobody /var/lib/secrets/wg0",
		mend:  "chown root /var/lib/secrets/wg0",
		finds: []string{"secret.wg0/file"}, line: `secret "wg0" {`,
	},
	{
		name:  "DHCP client stopped",
		wreck: "systemctl stop dhcpcd",
		mend:  "systemctl start dhcpcd",
		finds: []string{"dhcp_client/unit"}, line: `  ipv4 = "dhcp"`,
	},
	{
		name:  "no lease of the upstream",
		wreck: "systemctl stop dhcpcd; ip addr flush dev wan",
		mend:  "systemctl start dhcpcd",
		finds: []string{"network.wan/ipv4", "network.wan/default", "dhcp_client/unit"}, line: `  ipv4 = "dhcp"`,
		also: noUpstream,
	},
	{
		name:  "chronyd stopped",
		wreck: "systemctl stop chronyd",
		mend:  "systemctl start chronyd",
		finds: []string{"time/unit"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "chronyd has crashed",
		wreck: "systemctl kill --signal=SEGV chronyd",
		mend:  "systemctl restart chronyd",
		finds: []string{"time/unit"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "no Nix daemon",
		wreck: "systemctl stop nix-daemon.socket",
		mend:  "systemctl start nix-daemon.socket",
		finds: []string{"nix/unit"}, line: `nix {`,
	},
	{
		name:  "another name",
		wreck: "hostname other",
		mend:  "hostname bpi-r4",
		finds: []string{"router.bpi-r4/hostname"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "not restarted since the kernel's update",
		wreck: "mkdir -p /nix/store/next; ln -sf /nix/store/linux-next/Image /nix/store/next/kernel; ln -sfn /nix/store/next /run/current-system",
		mend:  "ln -sfn /nix/store/system /run/current-system",
		finds: []string{"router.bpi-r4/booted"}, line: `router "bpi-r4" {`,
	},
	{
		name:  "no root",
		wreck: "sed -i s/^root:/toor:/ /etc/passwd",
		mend:  "sed -i s/^toor:/root:/ /etc/passwd",
		finds: []string{"user.root/account"}, line: `user "root" {`,
		also: []string{"secret.wg0/file"}, // its owner has another name
	},
}

// kea and knot restart a daemon with a change to its settings, in the words of jq(1), and
// unkea and unknot without it.
func kea(change string) string {
	return "cd /etc/kea; cp kea-dhcp4.conf old; jq '.Dhcp4 |= (" + change + ")' old >kea-dhcp4.conf; systemctl restart kea-dhcp4-server"
}

func knot(change string) string {
	return "cd /etc/knot-resolver; cp config.yaml old; jq '" + change + "' old >config.yaml; kresctl reload"
}

const (
	unkea  = "mv /etc/kea/old /etc/kea/kea-dhcp4.conf; systemctl restart kea-dhcp4-server"
	unknot = "mv /etc/knot-resolver/old /etc/knot-resolver/config.yaml; kresctl reload"
)

// must is a shell that gives up at the first command that fails.
func must(script string) []string { return []string{"sh", "-ec", script} }

// breaksAll breaks a healthy router, one thing after the other. Before, it learns which checks are
// answers to questions.
func (r *wholeRouter) breaksAll(t *testing.T, breakages []breakage) {
	for _, f := range r.verify(t, "-passive") {
		if f.Status != "skip" {
			t.Errorf("without a question: %s", f)
		}
		r.asks[f.ID] = true
	}
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) { r.breaks(t, b) })
		if r.lost {
			t.Fatal("a router that cannot be mended is no use for the rest")
		}
	}
}

// breaks breaks one thing, looks that it is found, where and that nothing else is, mends it
// and looks that all is well again.
func (r *wholeRouter) breaks(t *testing.T, b breakage) {
	r.lost = true // until it is mended
	r.isp.Run(t, "sh", "-ec", b.isp)
	r.Run(t, must(b.wreck)...)
	var wrong []finding
	var complaint string
	for deadline := time.Now().Add(nstest.Patience); ; time.Sleep(100 * time.Millisecond) {
		wrong = r.verify(t)
		if complaint = b.judge(wrong, r.line); complaint == "" || time.Now().After(deadline) {
			break
		}
	}
	if complaint != "" {
		t.Errorf("%s: %v", complaint, wrong)
	}
	r.isp.Run(t, "sh", "-ec", b.ispUp)
	r.Run(t, must(b.mend)...)
	if wrong := r.settles(t, r.enough(b)...); len(wrong) > 0 {
		t.Fatalf("mended, and still: %v", wrong)
	}
	r.lost = false
}

// enough are the flags with which nbr verify shows that a breakage is mended. What is found
// without a question is seen to be gone without one; the next breakage asks again.
func (r *wholeRouter) enough(b breakage) []string {
	if slices.ContainsFunc(b.finds, func(id string) bool { return r.asks[id] }) {
		return nil
	}
	return []string{"-passive"}
}

// judge says what is wrong with what was found of a breakage, if anything. line is the line of the spec
// that a finding names.
func (b breakage) judge(wrong []finding, line func(finding) string) string {
	for i, id := range b.finds {
		j := slices.IndexFunc(wrong, func(f finding) bool { return f.ID == id && f.Status == "fail" })
		if j < 0 {
			return id + " does not find it"
		}
		if at := line(wrong[j]); i == 0 && !strings.HasPrefix(at, b.line) {
			return id + " names the line " + at
		}
	}
	for _, f := range wrong {
		if !slices.Contains(b.finds, f.ID) && !slices.ContainsFunc(b.also, func(p string) bool { return fits(p, f.ID) }) {
			return f.ID + " has nothing to do with it"
		}
	}
	return ""
}

// line is the line of the spec that a finding names.
func (r *wholeRouter) line(f finding) string {
	lines := r.g.source[path.Base(f.Range.File)]
	if f.Range.Line < 1 || f.Range.Line > len(lines) {
		return "?"
	}
	return lines[f.Range.Line-1]
}
