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
  listen      = 51820

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

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "all" {
  networks = [network.vpn, network.lan]
  allow    = ["wireguard"]
}

secret "wg1" {
  path = "/var/lib/secrets/wg1"
}

wireguard "wg1" {
  private_key = secret.wg1
  listen      = 51821

  peer "itself" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["10.9.0.2/32"]
    endpoint    = "192.168.1.1:51821" # ERROR: peer-is-router
  }

  peer "carried" { # by another program of the router
    public_key  = "DrPE+s9/KwJAX9XktTLWaH9ZXa6b5kNOgwxoEsVZuXk="
    allowed_ips = ["10.9.0.3/32"]
    endpoint    = "192.168.1.1:4000"
  }
}

network "second" {
  link = wireguard.wg1
  ipv4 = "10.9.0.1/24"
}

zone "second" {
  networks = [network.second]
}
