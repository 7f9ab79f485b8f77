# A tunnel to the router in beside/, of which the two say different things.
router "one" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.10.1/24"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

zone "lan" {
  networks = [network.lan]
}

secret "shared" {
  path = "/var/lib/secrets/shared"
}

zone "site" {
  networks = [network.site, network.second]
}

# What comes from network.lan is not allowed there.
policy "site" {
  from   = [zone.lan]
  to     = [zone.site]
  action = "accept"
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

  # A preshared key of one end alone, neither end has an endpoint, the far end's address is
  # missing, a network that it has not, and the network of this one that it does not allow.
  peer "other" { # ERROR: sites-disagree sites-disagree sites-disagree sites-disagree
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    preshared_key = secret.shared
    allowed_ips   = ["192.168.20.0/24", "192.168.30.0/24"]
  }
}

network "site" {
  link = wireguard.wg0
  ipv4 = "10.255.0.1/24"
}

wireguard "wg1" {
  listen      = 51821
  private_key = secret.wg1
  public_key  = "DrPE+s9/KwJAX9XktTLWaH9ZXa6b5kNOgwxoEsVZuXk="
  mtu         = 1420

  # Not the port of the other end, which takes smaller packets.
  peer "other" { # ERROR: sites-disagree sites-disagree sites-disagree
    public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
    allowed_ips = ["10.254.0.2/32"]
    endpoint    = "192.168.20.1:51821"
  }

  # One that does not know this one.
  peer "third" { # ERROR: sites-disagree
    public_key  = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="
    allowed_ips = ["10.254.0.3/32"]
    endpoint    = "third.example.org:51820"
  }
}

network "second" {
  link = wireguard.wg1
  ipv4 = "10.254.0.1/24"
}
