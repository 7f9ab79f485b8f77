# Neighbours out of reach, without a policy, over an upstream that no line names.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  name_servers  = ["192.0.2.53"]
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

network "wan" {
  link    = port.wan
  ipv4    = "192.0.2.1/24"
  gateway = "192.0.2.254"
}

network "cable" {
  link = port.lan2
  ipv4 = "dhcp"
}

zone "all" {
  networks = [network.lan, network.wan, network.cable]
}

prefix_list "some" {
  permit = ["10.2.0.0/16"]
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"
  networks  = [
    network.lan,
    network.cable # ERROR: no-fixed-address
  ]

  neighbor "no-lists" { # ERROR: no-policy
    address   = "10.1.0.2"
    remote_as = 65002
  }

  neighbor "one-list" { # ERROR: no-policy
    address      = "10.1.0.3"
    remote_as    = 65002
    prefixes_out = prefix_list.some
  }

  neighbor "again" { # ERROR: no-policy
    address     = "10.1.0.3" # ERROR: same-neighbor-twice
    remote_as   = 65002
    prefixes_in = prefix_list.some
    expect      = -1 # ERROR: bad-value
  }

  neighbor "nowhere" {
    address      = "198.51.100.1" # ERROR: neighbor-unreachable
    remote_as    = 65002
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "elsewhere" {
    address      = "198.51.100.2" # ERROR: neighbor-unreachable
    remote_as    = 65002
    network      = network.lan
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "link-local" {
    address      = "169.254.1.1" # ERROR: neighbor-unreachable
    remote_as    = 65002
    network      = network.cable
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "self" {
    address      = "10.1.0.1" # ERROR: neighbor-is-router
    remote_as    = 65002
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "provider" {
    address      = "192.0.2.2" # ERROR: routing-on-upstream
    remote_as    = 65002
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "said" {
    address      = "192.0.2.3"
    remote_as    = 65002
    network      = network.wan
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }

  neighbor "by-dhcp" {
    address      = "203.0.113.1"
    remote_as    = 65002
    network      = network.cable
    prefixes_in  = prefix_list.some
    prefixes_out = prefix_list.some
  }
}
