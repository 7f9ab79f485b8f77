# Telephones that are open to the Internet, in no network of the exchange, or with numbers and names of others.

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

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["pbx", "pbx-trunk"] # ERROR: pbx-open
}

zone "lan" {
  networks = [network.lan, network.guests]
  allow    = ["pbx"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

pbx {
  networks = [
    network.lan,
    network.wan, # ERROR: pbx-outside
  ]
  port       = 5062
  media      = "10000-10007" # ERROR: pbx-ports
  trunk_port = 5062          # ERROR: pbx-ports

  extension "anna" { # ERROR: pbx-phone-network
    number   = "11"
    password = secret.a
  }

  extension "ben" {
    number   = "112" # ERROR: pbx-number-twice
    password = secret.a # ERROR: secret-of-two-users
    network  = network.guests # ERROR: pbx-phone-network
  }

  group "all" {
    number     = "11"             # ERROR: pbx-number-twice
    extensions = ["anna", "bena"] # ERROR: pbx-no-such-phone
  }

  trunk "anna" { # ERROR: pbx-name-twice
    network  = network.wan # ERROR: pbx-trunk-network
    server   = "[2001:db8::5]:5060"
    user     = "030"
    password = secret.b
    from     = ["0.0.0.0/0"] # ERROR: pbx-open
    to       = "carl"        # ERROR: pbx-no-such-phone
  }
}
