# The well-known prefix does not stand for private addresses, and DNS64, DHCPv4 and the router's
# advertisements know of the translator what is not so.

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
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
  ipv6 = "2001:db8:2::1/64"
}

nat64 "nat64" {}

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns", "dhcp"]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns", "dhcp"]
}

zone "nat64" {
  networks = [network.nat64]
}

policy "translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}

policy "from-nat64" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "inside" {
  from   = [zone.nat64]
  to     = [zone.guests] # ERROR: nat64-private
  action = "accept"
}

resolver {
  networks = [network.lan, network.guests]

  dns64 {
    networks = [network.lan, network.guests] # WARNING: dns64-untranslated
  }
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  v6_only = "30m"
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.2.100-192.168.2.199"]
  v6_only = "30m" # WARNING: v6-only-untranslated
}

router_advert "lan" {
  network = network.lan
  pref64  = false # WARNING: pref64-unannounced
}

router_advert "guests" {
  network = network.guests
  pref64  = true # ERROR: pref64-untranslated
}
