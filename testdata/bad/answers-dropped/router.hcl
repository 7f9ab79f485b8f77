# A tunnel to a provider from which no answer comes through the firewall.

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

secret "vpn" {
  path = "/var/lib/secrets/vpn"
}

wireguard "vpn0" {
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

route "vpn" { # WARNING: answers-dropped
  to      = "0.0.0.0/0"
  network = network.vpn
  table   = 20
}

rule "house" {
  priority = 20000
  network  = network.lan
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

resolver {
  networks = [network.lan]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}
