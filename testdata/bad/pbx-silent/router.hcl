# Phones that reach no emergency service.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["pbx"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

pbx { # WARNING: pbx-no-trunk
  networks = [network.lan]

  extension "anna" {
    number   = "11"
    password = secret.a
  }
}
