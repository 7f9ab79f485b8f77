# Labels that are no names.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

zone "my zone" { # ERROR: bad-value
  networks = [] # WARNING: empty-list
}

user "Admin" { # ERROR: bad-value
}

wireguard "wg/0" { # ERROR: bad-value
  private_key = secret.wg0
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}
