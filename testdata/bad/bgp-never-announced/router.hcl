# A prefix that no neighbour is told.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}

zone "lan" {
  networks = [network.lan]
}

prefix_list "some" {
  permit = ["10.0.0.0/8 le 24", "2001:db8:1::/64"]
}

bgp {
  as        = 65001
  router_id = "10.1.0.1"
  networks  = [network.lan] # WARNING: never-announced

  neighbor "a" {
    address      = "10.1.0.2"
    remote_as    = 65002
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }
}
