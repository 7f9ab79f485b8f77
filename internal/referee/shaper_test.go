package referee_test

// shapedRouter shapes its line, which comes over a VLAN, and gives its guests a part of it.
const shapedRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
vlan "internet" {
  link = port.wan
  id   = 7
}
network "wan" {
  link    = vlan.internet
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}
network "guests" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
shaper "line" {
  network    = network.wan
  download   = "12mbit"
  upload     = "8mbit"
  framing    = "pppoe-ptm"
  priority   = "diffserv4"
  ack_filter = true
}
shaper "guests" {
  network  = network.guests
  download = "6mbit"
  upload   = "3mbit"
}
zone "guests" { networks = [network.guests] }
zone "wan" { networks = [network.wan] }
policy "out" {
  from       = [zone.guests]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
`
