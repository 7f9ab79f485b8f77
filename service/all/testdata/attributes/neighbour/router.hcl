# A neighbour of BGP in a network whose address comes by DHCP.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

prefix_list "all" {
  permit = ["10.0.0.0/8 le 24"]
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"

  neighbor "isp" {
    address      = "198.51.100.1"
    remote_as    = 65002
    network      = network.wan
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
  }
}
