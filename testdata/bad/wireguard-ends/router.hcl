# Addresses and keys of peers that cannot be meant.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

secret "wg1" {
  path = "/var/lib/secrets/wg1"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
  public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="

  peer "itself" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY=" # ERROR: peer-is-router
    allowed_ips = ["10.8.0.2/32"]
  }

  peer "new" {
    public_key  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" # WARNING: peer-without-key
    allowed_ips = ["10.8.0.3/32"]
  }

  peer "phone" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.0/28"] # WARNING: allowed-ips-within allowed-ips-within
  }

  peer "laptop" {
    public_key  = "DrPE+s9/KwJAX9XktTLWaH9ZXa6b5kNOgwxoEsVZuXk="
    allowed_ips = ["10.9.0.4/32", "fd00:8::4/128"] # WARNING: peer-outside-network
  }

  peer "site" { # its own address is not needed
    public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
    allowed_ips = ["10.20.0.0/16"]
  }
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
  ipv6 = "fd00:8::1/64"
}

# All of the Internet through a tunnel takes a rule that the language has not.
wireguard "wg1" {
  private_key = secret.wg1
  listen      = 51820 # ERROR: listen-clash

  peer "provider" {
    public_key  = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="
    allowed_ips = ["0.0.0.0/0", "::/0"] # WARNING: default-not-routed
    endpoint    = "vpn.example.net:51820"
  }
}

network "provider" {
  link = wireguard.wg1
  ipv4 = "10.64.0.7/32"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "vpn" {
  networks = [network.vpn, network.provider]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}
