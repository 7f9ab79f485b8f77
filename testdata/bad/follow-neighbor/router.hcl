# A network that is wrong. That a neighbour is in none of the others is not told as well.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "peering" {
  link = port.wan
  ipv4 = "192.0.2.1/33" # ERROR: bad-value
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

zone "all" {
  networks = [network.peering, network.lan]
}

prefix_list "all" {
  permit = ["10.0.0.0/8 le 24"]
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"
  networks  = [network.lan]

  neighbor "isp" {
    address      = "192.0.2.2"
    remote_as    = 65002
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
  }
}
