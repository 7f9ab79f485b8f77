# VRFs that share, and what is not for them.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

vrf "red" {
  ports = [port.lan1, port.lan2]
  table = 10
}

vrf "blue" {
  ports = [port.lan3, vrf.red] # ERROR: not-a-port
  table = 10                   # ERROR: vrf-table
}

vrf "empty" {
  ports = []  # WARNING: empty-list
  table = 128 # ERROR: bad-value
}

network "red" {
  link    = port.lan1
  ipv4    = "10.1.0.1/24"
  gateway = "10.1.0.9" # ERROR: vrf-network
}

network "leased" {
  link = port.lan2
  ipv4 = "dhcp" # ERROR: vrf-network
}

network "table" {
  link = vrf.red # ERROR: vrf-network
  ipv4 = "10.9.0.1/24"
}

network "lan" {
  link = port.end1
  ipv4 = "10.3.0.1/24"
}

route "both" {
  to    = "10.8.0.0/16"
  via   = "10.1.0.8"
  table = 10 # ERROR: vrf-table
}

route "two" {
  to = "10.7.0.0/16"

  next_hop "a" {
    via = "10.1.0.7"
  }

  next_hop "b" { # ERROR: vrf-table
    via = "10.3.0.7"
  }
}

rule "red" {
  priority = 20000
  network  = network.red # ERROR: vrf-table
  type     = "unreachable"
}

route "out" {
  to    = "10.6.0.0/16"
  via   = "10.3.0.6"
  table = 10 # ERROR: vrf-table
}

rule "into" {
  priority = 20001
  from     = "10.3.0.0/24"
  table    = 10 # ERROR: vrf-table
}

gre "gre1" {
  network = network.red
  remote  = "10.1.0.77" # ERROR: vrf-service
}

zone "red" {
  networks = [network.red, network.leased]
  allow    = ["https"] # ERROR: vrf-service
}

zone "lan" {
  networks = [network.lan, network.table]
  allow    = ["ssh"]
}

policy "across" {
  from   = [zone.lan]
  to     = [zone.red] # WARNING: vrf-policy
  action = "accept"
}

host "nas" {
  network = network.lan
  ipv4    = "10.3.0.50"
}

port_forward "web" {
  from = zone.red # ERROR: vrf-network
  port = 8443
  to   = host.nas
}

ssh {
  networks = [network.lan, network.red] # ERROR: vrf-service
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

# Routing daemons speak in no VRF: one line for each block, whatever it has there.
network "blue" {
  link = port.lan3
  ipv4 = "10.4.0.1/24"
}

zone "blue" {
  networks = [network.blue]
}

ospf {
  router_id = "10.3.0.1"

  area "0" {
    networks = [network.lan, network.blue] # ERROR: vrf-service
  }
}

rip {
  networks = [network.blue] # ERROR: vrf-service
}

bfd "fast" {}

bgp {
  as        = 65001
  router_id = "10.3.0.1"

  neighbor "a" {
    address   = "10.4.0.20" # ERROR: vrf-service
    remote_as = 65001
    bfd       = bfd.fast
  }

  neighbor "b" {
    address   = "10.4.0.21"
    remote_as = 65001
  }
}
