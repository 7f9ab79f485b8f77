# Routing protocols that meet no other router.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

bgp { # WARNING: no-neighbors
  as        = 64512
  router_id = "192.168.1.1"
}

ospf { # WARNING: no-neighbors
  router_id = "192.168.1.1"

  area "0" {
    passive = [network.lan]
  }
}
