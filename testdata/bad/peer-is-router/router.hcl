# A peer cannot have the router's own address.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "phone" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"] # ERROR: peer-is-router
    endpoint    = "192.0.2.1:51820"
  }
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.2/24"
}

zone "vpn" {
  networks = [network.vpn]
}
