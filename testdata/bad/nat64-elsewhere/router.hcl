# Hosts are told addresses of another prefix than the one that is translated, and what is translated
# is let nowhere. The translator has two networks.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv6 = "2001:db8:1::1/64"
}

nat64 "nat64" {
  prefix = "64:ff9b:1:1::/96" # ERROR: nat64-uplink
}

network "four" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
}

network "six" {
  link = nat64.nat64 # ERROR: nat64-network
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns"]
}

zone "nat64" {
  networks = [network.four, network.six]
}

policy "translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}

policy "internet" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}

resolver {
  networks = [network.lan]

  dns64 {} # ERROR: dns64-elsewhere
}
