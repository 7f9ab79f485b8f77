# Two customers whose networks get to their own lines and to nothing else, beside the house's own.

router "vrfs" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

vrf "red" {
  alias = "customer in the first floor"
  ports = [port.lan1, port.wan]
  table = 10
}

vrf "blue" {
  ports = [bridge.br-blue]
  table = 11
}

bridge "br-blue" {
  ports = [port.lan2, port.lan3]
}

network "red" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "red-line" {
  link = port.wan
  ipv4 = "192.0.2.2/24"
}

route "red" {
  to  = "0.0.0.0/0"
  via = "192.0.2.1"
}

network "blue" {
  link = bridge.br-blue
  ipv4 = "10.2.0.1/24"
}

network "own" {
  link = port.end1
  ipv4 = "10.3.0.1/24"
}

zone "red" {
  networks = [network.red]
}

zone "red-line" {
  networks = [network.red-line]
}

zone "blue" {
  networks = [network.blue]
}

zone "own" {
  networks = [network.own]
}

policy "red" {
  from   = [zone.red]
  to     = [zone.red-line]
  action = "accept"
}
