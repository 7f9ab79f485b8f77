# BFD with the neighbours of OSPF alone, and profiles to choose from.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}

zone "all" {
  networks = [network.core]
}

bfd "fast" {
  receive = 50
}

bfd "slow" {}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
    bfd      = bfd.fast
  }
}
