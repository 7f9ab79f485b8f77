# DHCPv6 that no host could live with.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link     = port.wan
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}

prefix "isp" {
  network = network.wan
  length  = 56
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "second" {
  link = port.lan1
  ipv6 = "2001:db8:2::1/64"
}

network "later" { # known when the router runs
  link   = port.lan2
  prefix = prefix.isp
  subnet = 1
}

network "four" {
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}

vlan "v" {
  link = port.lan3
  id   = 5
}

network "narrow" {
  link = vlan.v
  ipv6 = "2001:db8:5::1/112"
}

zone "lan" {
  networks = [network.lan, network.second, network.later, network.four, network.narrow]
  allow    = ["dhcp6"]
}

zone "wan" {
  networks = [network.wan]
}

route "office" {
  to  = "2001:db8:a000:1::/64"
  via = "2001:db8:1::9"
}

host "switch" {
  network = network.lan
  ipv6    = "::1500" # ERROR: pool-holds-host
}

host "twin" {
  network = network.lan
  duid    = "00:03:00:01:02:11:22:33:44:55"
  ipv6    = "::20"
}

host "other" {
  network = network.lan
  duid    = "00:03:00:01:02:11:22:33:44:55" # ERROR: host-twice
  ipv6    = "::21"
}

host "words" {
  network = network.lan
  duid    = "laptop" # ERROR: bad-value
}

host "short" {
  network = network.lan
  duid    = "00:03" # ERROR: bad-value
}

router_advert "lan" {
  network = network.lan
  managed = false # ERROR: dhcp6-unadvertised
}

router_advert "later" {
  network      = network.later
  other_config = false
  dns          = ["2620:fe::fe"]
}

router_advert "narrow" {
  network    = network.narrow
  autonomous = false
}

dhcp6 "wan" {
  network = network.wan # ERROR: dhcp6-upstream
  dns     = ["2620:fe::fe"]
}

dhcp6 "lan" {
  network            = network.lan
  pool               = ["::1-::ff", "::1000-::1fff", "::1800-::2000"] # ERROR: pool-holds-router pools-overlap
  dns                = ["9.9.9.9", "2001:db8:1::1"]                   # ERROR: not-ipv6 server-not-there
  lease              = "1h"
  preferred_lifetime = "2h" # ERROR: lifetimes-contradict

  delegate "four" {
    prefix = "10.0.0.0/8" # ERROR: not-ipv6
    length = 56
  }
  delegate "large" {
    prefix = "2001:db8:8000::/48"
    length = 40 # ERROR: delegate-too-short
  }
  delegate "many" {
    prefix = "2001:8000::/18"
    length = 64 # ERROR: delegate-too-short
  }
  delegate "network" {
    prefix = "2001:db8::/44" # ERROR: delegate-clash delegate-clash delegate-clash delegate-clash
    length = 56
  }
  delegate "route" {
    prefix = "2001:db8:a000::/48" # ERROR: delegate-clash
    length = 56
  }
  delegate "once" {
    prefix = "2001:db8:b000::/48"
    length = 56
  }
  delegate "twice" {
    prefix = "2001:db8:b000:100::/56" # ERROR: delegate-clash
    length = 64
  }
}

dhcp6 "second" {
  network = network.second # ERROR: two-servers-on-link
  dns     = ["2620:fe::fe"]
}

dhcp6 "later" {
  network = network.later # ERROR: no-fixed-address
  pool    = ["::1000-::1fff"]
}

dhcp6 "four" {
  network = network.four # ERROR: no-fixed-address
  dns     = ["2620:fe::fe"]
}

dhcp6 "turned" {
  network = network.lan
  pool    = ["::1000-::0fff", "1000-1fff"] # ERROR: bad-value bad-value
}

dhcp6 "narrow" {
  network = network.narrow # ERROR: prefix-not-64
  pool    = ["::1000-::1fff"]
}
