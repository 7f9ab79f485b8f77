# A prefix for numbers outside, and no trunk that leads there.

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

pbx {
  networks = [network.lan]
  prefix   = "0" # ERROR: pbx-no-trunk

  extension "anna" {
    number   = "11"
    password = secret.a
  }
}
