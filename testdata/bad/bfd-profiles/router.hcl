# BGP and OSPF have one neighbour watched by different times.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

zone "all" {
  networks = [network.core, network.lan]
}

bfd "fast" {
  multiplier = 4
}

bfd "slow" {
  receive = 1000
}

bgp {
  as        = 65001
  router_id = "10.255.0.1"

  neighbor "a" {
    address   = "10.255.0.2"
    remote_as = 65001
    bfd       = bfd.slow # ERROR: bfd-two-profiles
  }

  neighbor "b" {
    address   = "10.255.0.3"
    remote_as = 65001
    bfd       = bfd.fast
  }
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
    bfd      = bfd.fast
  }
}
