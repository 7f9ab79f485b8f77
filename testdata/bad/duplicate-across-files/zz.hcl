firewall { # ERROR: duplicate
  ping = false
}
