router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "admin" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "home" {
  networks = [network.lan, network.admin]
  allow    = ["snmp"]
}

secret "auth" {
  path = "/var/lib/secrets/snmp_auth"
}

secret "privacy" {
  path = "/var/lib/secrets/snmp_privacy"
}

snmp {
  networks = [network.lan]

  user "monitor" {
    authentication = secret.auth
    privacy        = secret.privacy
    view           = ["1.3.6.1.2.1.1"]
  }
}

secret "spare" {
  path = "/var/lib/secrets/spare"
}
