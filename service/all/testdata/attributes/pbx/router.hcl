# Phones in one of two networks, and a group of one of two.

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

network "lab" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan, network.lab]
  allow    = ["pbx"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

pbx {
  networks  = [network.lan]
  emergency = []

  extension "a" {
    number   = "11"
    password = secret.a
  }

  extension "b" {
    number   = "12"
    password = secret.b
  }

  group "all" {
    number     = "10"
    extensions = ["a"]
  }
}

secret "spare" {
  path = "/var/lib/secrets/spare"
}
