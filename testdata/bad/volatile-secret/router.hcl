# Secrets in memory, which a restart empties, whatever asks for them.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "wg0" {
  path = "/run/secrets/wg0" # WARNING: volatile-secret
}

secret "peer" {
  path = "/tmp/peer" # WARNING: volatile-secret
}

secret "password" {
  path = "/dev/shm/password"
}

secret "session" { # WARNING: unused
  for_each = { a = "/var/run/a" }
  path     = each.value # WARNING: volatile-secret
}

secret "stays" { # WARNING: unused
  path = "/var/lib/run/stays"
}

wireguard "wg0" { # WARNING: unused
  private_key = secret.wg0

  peer "phone" {
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips   = ["10.200.0.2/32"]
    endpoint      = "vpn.example.org:51820"
    preshared_key = secret.peer
  }
}

user "root" {
  hashed_password_file = secret.password # WARNING: password-not-at-boot
}
