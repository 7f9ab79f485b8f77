# The house through a provider's VPN, and the guests past it. docs/wireguard.md is about it.

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

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

secret "vpn" {
  path = "/var/lib/secrets/vpn"
}

wireguard "vpn0" {
  alias       = "way home"
  private_key = secret.vpn

  peer "provider" {
    public_key  = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
    endpoint    = "198.51.100.77:51820"
    allowed_ips = ["0.0.0.0/0"]
    keepalive   = 25
  }
}

network "vpn" {
  link = wireguard.vpn0
  ipv4 = "10.64.3.2/32"
}

route "vpn" {
  to      = "0.0.0.0/0"
  network = network.vpn
  table   = 20
}

# Whose packets go there: the house's, and what has the router's address in the tunnel.
rule "house" {
  priority = 20000
  network  = network.lan
  table    = 20
}

rule "answers" {
  priority = 20001
  network  = network.vpn
  table    = 20
}

# Without the tunnel they go nowhere, and not past it.
rule "no_vpn" {
  priority = 20002
  network  = network.lan
  type     = "unreachable"
}

zone "house" {
  networks = [network.lan]
  allow    = ["dns", "dhcp"]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns", "dhcp"]
}

zone "vpn" {
  networks = [network.vpn]
}

zone "internet" {
  networks = [network.wan]
}

policy "house" {
  from       = [zone.house]
  to         = [zone.vpn]
  action     = "accept"
  masquerade = true
}

policy "guests" {
  from       = [zone.guests]
  to         = [zone.internet]
  action     = "accept"
  masquerade = true
}

resolver {
  networks = [network.lan, network.guests]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.2.100-192.168.2.199"]
}
