# Required arguments are missing, of the router and of others.

router "r" { # ERROR: missing-argument missing-argument
  console_only = true
}

network "lan" { # ERROR: missing-argument
  ipv4 = "192.168.1.1/24"
}

policy "internet" { # ERROR: missing-argument missing-argument missing-argument
}

dhcp4 "lan" {
  network = network.lan
  pool    = null # ERROR: missing-argument
}
