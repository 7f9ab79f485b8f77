# A server that has nothing to say.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns-zones"]
}

dns_server { # ERROR: no-dns-zone
  networks = [network.lan]
}
