# Links below others that cannot have them.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  ports = [port.lan1]
}

bridge "br1" {
  ports = [bridge.br0, port.lan2] # ERROR: not-a-port
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "desk" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    endpoint    = "192.0.2.9:51820"
    allowed_ips = ["10.8.0.2/32"]
  }
}

network "vpn" {
  link = wireguard.wg0 # ERROR: address-on-bridge-port
  ipv4 = "10.8.0.1/24"
}

zone "vpn" {
  networks = [network.vpn]
}

bridge "br2" {
  ports = [port.lan3, wireguard.wg0] # ERROR: not-a-port
}

vlan "tagged" {
  link = wireguard.wg0 # ERROR: not-a-port
  id   = 9
}

bond "bond0" {
  ports = [port.end1, port.end2]
  mode  = "802.3ad"
}

link "wwan0" {}

bond "bond1" {
  ports = [bond.bond0, bridge.br1, link.wwan0] # ERROR: not-a-port not-a-port not-a-port
  mode  = "active-backup"
}
