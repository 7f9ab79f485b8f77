# Peers that would take each other's packets.

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

  peer "laptop" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
    endpoint    = "192.0.2.1:51820"
  }

  peer "phone" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=" # ERROR: same-peer-twice
    allowed_ips = ["10.8.0.3/32", "10.8.0.2/32"]                 # ERROR: allowed-ips-clash
    endpoint    = "192.0.2.1:51820"
  }
}
