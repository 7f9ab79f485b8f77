# The way to the other end, whose address is not known yet, would be through the tunnel.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "provider" { # ERROR: endpoint-in-tunnel
    public_key  = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="
    allowed_ips = ["0.0.0.0/0"]
    endpoint    = "vpn.example.net:51820"
  }
}

network "provider" {
  link = wireguard.wg0
  ipv4 = "10.64.0.7/24"
}

route "internet" {
  to  = "0.0.0.0/0"
  via = "10.64.0.1"
}

zone "inside" {
  networks = [network.lan]
}

zone "outside" {
  networks = [network.wan, network.provider]
}
