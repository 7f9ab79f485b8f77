# SNMP without users.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.0.2.1"]
}

network "wan" {
  link    = port.wan
  ipv4    = "192.0.2.2/24"
  gateway = "192.0.2.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "all" {
  networks = [network.lan, network.wan]
  allow    = ["snmp"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

snmp { # ERROR: snmp-without-users
  networks = [network.lan]
}
