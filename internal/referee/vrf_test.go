package referee_test

import "testing"

// vrfDir is where a guest has what the spec with VRFs becomes.
const vrfDir = "/vrf/"

// Two groups of links, of which neither gets to the other, and a network that is in none.
const vrfSpec = `
vrf "red" {
  alias = "customers"
  ports = [port.wan, port.lan1]
  table = 10
}
vrf "blue" {
  ports = [port.lan2]
  table = 11
}
network "out" {
  link = port.wan
  ipv4 = "192.0.2.1/24"
  ipv6 = "2001:db8:2::1/64"
}
network "in" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "other" {
  link = port.lan2
  ipv4 = "10.2.0.1/24"
}
network "own" {
  link = port.end1
  ipv4 = "10.3.0.1/24"
}
route "far" {
  to  = "198.51.100.0/24"
  via = "192.0.2.9"
}
zone "out" {
  networks = [network.out]
}
zone "in" {
  networks = [network.in]
}
zone "other" {
  networks = [network.other]
}
zone "own" {
  networks = [network.own]
}
policy "out" {
  from       = [zone.in, zone.other, zone.own]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
// No route leads there, whatever the firewall lets pass.
policy "across" {
  from   = [zone.in]
  to     = [zone.own, zone.other]
  action = "accept"
}
`

func vrfFiles(t *testing.T) map[string]string {
	t.Helper()
	g := fromText(t, vrfSpec)
	return map[string]string{
		vrfDir + "links": write(t, toJSON(t, onVeths(t, g))),
		vrfDir + "rules": write(t, ruleset(t, g)),
	}
}
