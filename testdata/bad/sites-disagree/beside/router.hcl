router "two" {
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
  ipv4 = "192.168.20.1/24"
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
  networks = [network.site, network.second, network.third]
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

secret "wg1" {
  path = "/var/lib/secrets/wg1"
}

secret "wg2" {
  path = "/var/lib/secrets/wg2"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
  public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="

  peer "one" {
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["10.255.0.1/32"]
  }
}

network "site" {
  link = wireguard.wg0
  ipv4 = "10.255.0.2/24"
}

wireguard "wg1" {
  listen      = 51825
  private_key = secret.wg1
  public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
  mtu         = 1380

  peer "one" {
    public_key  = "DrPE+s9/KwJAX9XktTLWaH9ZXa6b5kNOgwxoEsVZuXk="
    allowed_ips = ["10.254.0.1/32"]
  }
}

network "second" {
  link = wireguard.wg1
  ipv4 = "10.254.0.2/24"
}

wireguard "wg2" {
  listen      = 51830
  private_key = secret.wg2
  public_key  = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="

  peer "laptop" {
    public_key  = "iLu2VvRgLfZGKzWGyhUhQ0ASuBLlvjMMDIRI5ZjtXhY="
    allowed_ips = ["10.253.0.1/32"]
  }
}

network "third" {
  link = wireguard.wg2
  ipv4 = "10.253.0.2/24"
}
