# Two lines at one provider, whose calls come from the same addresses.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["pbx"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

secret "c" {
  path = "/var/lib/secrets/c"
}

pbx {
  networks = [network.lan]

  extension "anna" {
    number   = "11"
    password = secret.a
  }

  trunk "family" {
    network  = network.wan
    server   = "sip.example.net"
    user     = "0301234567"
    password = secret.b
    from     = ["198.51.100.0/24", "192.0.2.1/32"]
    to       = "anna"
  }

  trunk "office" {
    network  = network.wan
    server   = "sip.example.net"
    user     = "0301234568"
    password = secret.c
    from = [
      "192.0.2.2/32",
      "198.51.100.64/26", # ERROR: pbx-from-twice
    ]
    to = "anna"
  }
}
