# Neighbours of BGP by links on which FRR cannot find them, and some of no autonomous system.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "left" {
  link = port.wan
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "tunnel" {
  link = wireguard.tunnel
  ipv4 = "10.9.0.1/24"
}

secret "key" {
  path = "/var/lib/secrets/key"
}

wireguard "tunnel" {
  private_key = secret.key
  listen      = 51820

  peer "other" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.9.0.2/32"]
  }
}

zone "all" {
  networks = [network.left, network.lan, network.tunnel]
  allow    = ["wireguard"]
}

router_advert "lan" {
  network = network.lan
  dns     = ["2620:fe::fe"]
}

bgp_group "inner" {
  remote_as = 65001
  expect    = -1 # ERROR: bad-value
}

bgp_group "anyone" {
  expect = 0
}

bgp_group "others" {
  remote_as = 65002
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"

  neighbor "left" {
    network   = network.left
    remote_as = 65001
  }

  neighbor "again" { # ERROR: same-neighbor-twice
    network   = network.left
    remote_as = 65001
  }

  neighbor "nowhere" { # ERROR: neighbor-unreachable
    remote_as = 65001
  }

  neighbor "hosts" {
    network   = network.lan # ERROR: neighbor-by-advertised-link
    remote_as = 65001
  }

  neighbor "tunnel" {
    network   = network.tunnel # ERROR: no-multicast
    remote_as = 65001
  }

  neighbor "unknown" { # ERROR: no-remote-as
    address = "10.1.0.2"
    group   = bgp_group.anyone
  }

  neighbor "unknown6" { # ERROR: no-remote-as
    address = "2001:db8:1::2"
  }

  neighbor "open" { # ERROR: no-policy
    address = "10.1.0.3"
    group   = bgp_group.others
  }
}
