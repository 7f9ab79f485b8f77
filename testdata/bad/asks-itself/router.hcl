# Servers that are the router itself.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  domain = "home.arpa"
}

network "six" {
  link = port.lan2
  ipv6 = "fd12:3456:789a:2::1/64"
}

zone "lan" {
  networks = [network.lan, network.six]
  allow    = ["dns"]
}

resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9", "fd12:3456:789a:2::1"] # ERROR: asks-itself
  extra = {                                     # ERROR: asks-itself
    forward = [
      { subtree = ["corp.example"], servers = ["192.0.2.53"] },
      { subtree = ["home.example"], servers = [{ address = ["192.168.1.1@53"] }] },
      { subtree = ["test.example"], servers = ["127.0.0.1@5353"] },
    ]
  }
}

time {
  servers = ["192.168.1.1", "R.home.arpa.", "localhost"] # ERROR: asks-itself asks-itself asks-itself
}
