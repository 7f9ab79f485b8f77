# Keys and hashes that are none.

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
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzz" # ERROR: bad-value
    allowed_ips = ["10.8.0.2/24"]                              # ERROR: bad-value
    endpoint    = "vpn.example.org"                            # ERROR: bad-value
    keepalive   = 0                                            # ERROR: bad-value
  }
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAA me"] # ERROR: bad-value
  hashed_password = "hunter2"               # ERROR: bad-value
  description     = "root:0"                # ERROR: bad-value
}
