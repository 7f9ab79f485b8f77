# SNMP on an upstream, a contact that no user sees, exceptions of nothing, and one secret for two things.

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

snmp {
  networks = [
    network.lan,
    network.wan, # ERROR: open-snmp
  ]
  contact = "anna" # WARNING: snmp-unseen

  user "a" {
    authentication = secret.a
    privacy        = secret.b
    view           = ["1.3.6.1.2.1.2", "1.3.6.1.2.1.31"]
    except = [
      "1.3.6.1.2.1.1.9", # ERROR: snmp-except
      "1.3.6.1.2.1.31",  # ERROR: snmp-except
    ]
  }

  user "b" {
    authentication = secret.a # ERROR: secret-of-two-users
    privacy        = secret.a # ERROR: secret-of-two-kinds
    view           = ["1.3"]
    except         = ["1.3.6.1.2.1.1"]
  }
}
