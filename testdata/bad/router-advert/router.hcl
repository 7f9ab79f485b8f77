# Router advertisements that no host could use, or that radvd could not send.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  name_servers  = ["2001:db8::53"]
  state_version = "25.11"
  console_only  = true
}

network "none" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wide" {
  link   = port.lan2
  ipv6   = "2001:db8:2::1/56"
  domain = "my_lan" # ERROR: unreadable-name
}

network "local" {
  link = port.lan3
  ipv6 = "fe80::1/64" # ERROR: special-network
}

network "wan" {
  link     = port.wan
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "fe80::1"
}

vlan "a" {
  link = port.end1
  id   = 10
  name = "off"
}

network "keyword" {
  link = vlan.a
  ipv6 = "2001:db8:a::1/64"
}

vlan "b" {
  link = port.end1
  id   = 11
}

network "numbers" {
  link = vlan.b
  ipv6 = "2001:db8:b::1/64"
}

secret "wg0" { path = "/var/lib/secrets/wg0" }

wireguard "wg0" {
  private_key = secret.wg0
  peer "office" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["2001:db8:c::2/128"]
    endpoint    = "192.0.2.1:51820"
  }
}

network "tunnel" {
  link = wireguard.wg0
  ipv6 = "2001:db8:c::1/64"
}

zone "lan" {
  networks = [network.none, network.wide, network.local, network.keyword, network.numbers, network.tunnel]
}

zone "wan" { networks = [network.wan] }

router_advert "none" {
  network = network.none # ERROR: no-fixed-address
}

router_advert "wan" {
  network = network.wan # ERROR: advertises-upstream
}

router_advert "wide" {   # WARNING: no-name-server
  network = network.wide # ERROR: prefix-not-64
}

router_advert "local" {
  network = network.local
  dns     = ["192.0.2.53"]         # ERROR: not-ipv6
  domains = ["example.org", "off"] # ERROR: unreadable-name
}

router_advert "keyword" {
  network = network.keyword # ERROR: unreadable-name
  dns     = []
}

router_advert "tunnel" {
  network = network.tunnel # ERROR: no-multicast
  dns     = []
}

router_advert "numbers" {
  network            = network.numbers
  interval           = "20m"
  lifetime           = "10m" # ERROR: lifetimes-contradict
  valid_lifetime     = "5m"
  preferred_lifetime = "10m" # ERROR: lifetimes-contradict
  mtu                = 9000  # ERROR: mtu-too-large
  dns                = []
  other_routers      = ["2001:db8::2"] # ERROR: not-link-local
}
