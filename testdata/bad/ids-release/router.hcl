# Protocols that the Suricata of the release does not know.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  release       = "25.11"
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
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ids {
  inspect = [policy.internet]
  fail    = "open"

  block "mail" {
    app = [
      "ldap",      # ERROR: release-lacks
      "pop3",      # ERROR: release-lacks
      "websocket", # ERROR: release-lacks
      "imap",
    ]
  }
}
