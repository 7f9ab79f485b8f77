# A network or a link in two areas, and OSPF on an upstream.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

network "more" {
  link = port.lan1
  ipv4 = "10.2.0.1/24"
}

network "core" {
  link = port.lan2
  ipv4 = "10.3.0.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "six" {
  link = port.lan3
  ipv6 = "2001:db8::1/64"
}

network "exit" {
  link = port.end1
  ipv4 = "192.0.2.1/24"
}

zone "all" {
  networks = [network.lan, network.more, network.core, network.wan, network.six]
}

zone "exit" {
  networks = [network.exit]
}

policy "out" {
  from       = [zone.all]
  to         = [zone.exit]
  action     = "accept"
  masquerade = true
}

ospf {
  router_id = "10.1.0.1"
  expect    = -2 # ERROR: bad-value

  area "0" {
    networks = [
      network.lan,
      network.core,
      network.wan, # ERROR: no-fixed-address
      network.six, # ERROR: no-fixed-address
      network.exit # ERROR: routing-on-upstream
    ]
    passive = [network.core] # ERROR: network-in-two-areas
  }

  area "1" {
    networks = [network.more] # ERROR: network-in-two-areas
    passive  = [network.lan]  # ERROR: network-in-two-areas
  }

  area "0.0.0.0" { # ERROR: same-area-twice
  }
}
