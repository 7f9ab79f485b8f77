# Groups that are not there.
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

zone "all" {
  networks = [network.lan]
}

prefix_list "inner" {
  permit = ["10.0.0.0/8"]
}

bgp_group "others" {
  remote_as = 0 # ERROR: bad-value
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"

  neighbor "lost" {
    address = "10.1.0.4"
    group   = bgp_group.nowhere # ERROR: no-such-reference
  }

  neighbor "wrong" {
    address = "10.1.0.5"
    group   = prefix_list.inner # ERROR: wrong-reference
  }
}
