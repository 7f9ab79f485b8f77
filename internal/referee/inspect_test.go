package referee_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// An inspector is a service that claims to see the packets of policies, and a way through
// the forward chain.
type inspector struct {
	conf.Header
	Policies conf.Refs[*router.Policy]  `hcl:"policies,required"`
	Open     conf.Value[bool]           `hcl:"fail_open,optional" default:"false"`
	Forward  conf.Refs[*router.Network] `hcl:"forward_to,optional"`
}

func (i *inspector) Claim(s *router.Scope) {
	s.Inspect(i.Policies.Range, router.Inspect{Policies: i.Policies.All(), First: 40, Queues: 2, FailOpen: i.Open.V})
	if i.Forward.Set {
		router.Claim(s, i.Forward.Range, router.Forward{
			Match: router.Match{Family: router.IPv4, Protocol: router.UDP, Ports: router.OnePort(5000)},
			Out:   i.Forward.All(),
		})
	}
}
func (i *inspector) Judge(*router.Router) hcl.Diagnostics { return nil }
func (i *inspector) Checks(*router.Router, *verify.Plan)  {}
func inspectorKind() service.Kind {
	return service.Kind{Type: "inspector", Single: true, New: func() service.Block { return &inspector{} }}
}

// inspectedSpec has a policy for the web, which is inspected, after one for another port,
// which is not, and one that drops in between.
const inspectedSpec = `
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
policy "never" {
  from      = [zone.lan]
  to        = [zone.out]
  action    = "drop"
  protocols = ["tcp"]
  ports     = ["82"]
}
policy "web" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
firewall { flow_offload = true }
`

// forwardedSpec has a port of the Internet led to another port of a host, whose connections are
// inspected.
const forwardedSpec = `
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
policy "www" {
  from      = [zone.out]
  to        = [zone.lan]
  action    = "accept"
  protocols = ["tcp"]
  ports     = ["8443"]
}
port_forward "www" {
  from    = zone.out
  port    = 443
  to      = "10.1.0.5"
  to_port = 8443
}
firewall { flow_offload = true }
inspector {
  policies  = [policy.www]
  fail_open = true
}
`

// inspectedRules are the rulesets for guests, by name.
func inspectedRules(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	claimed := strings.Replace(inspectedSpec, `policy "web" {`, "policy \"web\" {\n  protocols  = [\"tcp\"]", 1)
	for name, text := range map[string]string{
		"closed":  inspectedSpec + "inspector { policies = [policy.web] }\n",
		"open":    inspectedSpec + "inspector {\n  policies  = [policy.web]\n  fail_open = true\n}\n",
		"dnat":    forwardedSpec,
		"forward": claimed + "inspector {\n  policies   = [policy.web]\n  forward_to = [network.lan]\n}\n",
	} {
		files["/rules/"+name] = write(t, ruleset(t, fromText(t, text, inspectorKind())))
	}
	return files
}

// TestInspectedIsNotOffloaded reads the flow table's rules: what is inspected is passed
// over, in both directions, before anything is offloaded.
func TestInspectedIsNotOffloaded(t *testing.T) {
	t.Parallel()
	g := fromText(t, inspectedSpec+"inspector { policies = [policy.web] }\n", inspectorKind())
	rules := g.text(t, "systemd", "services", "nbr-flowtable", "serviceConfig", "ExecStart")
	var seen []string
	for _, l := range strings.Split(rules, "\n") {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "ct direction ") || strings.Contains(l, "flow add") {
			seen = append(seen, strings.Join(strings.Fields(l)[:3], " "))
		}
	}
	if got, want := strings.Join(seen, "; "), "ct direction original; ct direction reply; meta l4proto {"; got != want {
		t.Errorf("%s\nwant %s\n%s", got, want, rules)
	}
}

// TestInspectedAnswersOfForward reads both rules that have to know the answers of a connection that a
// port_forward leads to another port: they come from that port, which the first packet, before it was
// led there, did not have.
func TestInspectedAnswersOfForward(t *testing.T) {
	t.Parallel()
	g := fromText(t, forwardedSpec, inspectorKind())
	for name, rules := range map[string]string{
		"the inspect chain": ruleset(t, g),
		"the flow table":    g.text(t, "systemd", "services", "nbr-flowtable", "serviceConfig", "ExecStart"),
	} {
		var seen []string
		for l := range strings.Lines(rules) {
			if i := strings.Index(l, "ct direction reply"); i >= 0 {
				seen = append(seen, strings.Join(strings.Fields(l[i:])[7:], " "))
			}
		}
		if len(seen) != 1 || !strings.HasPrefix(seen[0], "meta l4proto tcp ct reply proto-src { 8443 } ") {
			t.Errorf("%s takes for answers: %q\n%s", name, seen, rules)
		}
	}
}
