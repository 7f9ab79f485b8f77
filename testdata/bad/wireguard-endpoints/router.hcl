# Where other ends are not.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
  public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY" # ERROR: bad-value
  endpoint    = "home.example.org" # ERROR: bad-value

  peer "no-port" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
    endpoint    = "2001:db8::1" # ERROR: bad-value
  }

  peer "no-brackets" {
    public_key  = "DrPE+s9/KwJAX9XktTLWaH9ZXa6b5kNOgwxoEsVZuXk="
    allowed_ips = ["10.8.0.3/32"]
    endpoint    = "2001:db8::1:51820" # ERROR: bad-value
  }

  peer "of-a-link" {
    public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
    allowed_ips = ["10.8.0.4/32"]
    endpoint    = "[fe80::1%wan]:51820" # ERROR: bad-value
  }

  peer "no-address" {
    public_key  = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="
    allowed_ips = ["10.8.0.5/32"]
    endpoint    = "192.0.2.256:51820" # ERROR: bad-value
  }

  peer "nowhere" {
    public_key  = "iLu2VvRgLfZGKzWGyhUhQ0ASuBLlvjMMDIRI5ZjtXhY="
    allowed_ips = ["10.8.0.6/32"]
    endpoint    = "0.0.0.0:51820" # ERROR: bad-value
    keepalive   = 65536           # ERROR: bad-value
  }
}
