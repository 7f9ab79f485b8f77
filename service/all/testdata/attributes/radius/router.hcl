# RADIUS in one of two networks, for clients of both, with a secret to spare.

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
  allow    = ["radius"]
}

secret "key" {
  path = "/var/lib/secrets/key"
}

secret "client" {
  path = "/var/lib/secrets/client"
}

secret "anna" {
  path = "/var/lib/secrets/anna"
}

secret "spare" {
  source = "sops"
  file   = "secrets.yaml"
}

radius {
  networks    = [network.lan]
  certificate = "/var/lib/radius/server.pem"
  key         = secret.key
  ca          = "/var/lib/radius/ca.pem"

  client "a" {
    addresses = ["192.168.1.5/32"]
    secret    = secret.client
  }

  user "anna" {
    password    = secret.anna
    certificate = true
  }

  user "bob" {
    certificate = true
    password    = secret.bob
  }
}

secret "bob" {
  path = "/var/lib/secrets/bob"
}
