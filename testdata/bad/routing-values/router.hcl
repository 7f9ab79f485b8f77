# No such list, and numbers that no router has.
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

zone "lan" {
  networks = [network.lan]
}

prefix_list "some" {
  deny = ["10.0.0.0"] # ERROR: bad-value
  permit = [
    "10.0.0.1/8",            # ERROR: bad-value
    "10.0.0.0/8 le",         # ERROR: bad-value
    "10.0.0.0/8 le 8",       # ERROR: bad-value
    "10.0.0.0/8 ge 33",      # ERROR: bad-value
    "10.0.0.0/8 ge 24 le 16" # ERROR: bad-value
  ]
}

prefix_list "more" {
  permit = [
    "10.0.0.0/8 le 16 ge 9", # ERROR: bad-value
    "10.0.0.0/8 lt 16",      # ERROR: bad-value
    ""                       # ERROR: bad-value
  ]
}

bgp {
  as        = 23456 # ERROR: bad-value
  router_id = "2001:db8::1" # ERROR: bad-value

  neighbor "a" {
    address      = "10.1.0.2"
    remote_as    = 0 # ERROR: bad-value
    prefixes_in  = prefix_list.none # ERROR: no-such-reference
    prefixes_out = network.lan # ERROR: wrong-reference
  }
}

ospf {
  router_id = "224.0.0.1" # ERROR: bad-value

  area "one" { # ERROR: bad-value
    networks = [network.lan]
  }
}
