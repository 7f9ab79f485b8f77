# BFD where there is no neighbour, and a profile that nothing names.

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
}

bfd "unused" { # WARNING: unused
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
  }

  area "1" {
    passive = [network.lan]
    bfd     = bfd.fast # WARNING: bfd-idle
  }
}
