resolver {
  networks = [network.lan, network.gest] # ERROR: no-such-reference
}

ssh {
  networks = [network.lan]
  prot     = 22 # ERROR: unsupported-argument
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.99"] # ERROR: bad-value
}

dhcp4 "guest" {
  network = network.guest
  pool    = ["192.168.2.1-192.168.2.9"] # ERROR: pool-outside-network
  dns     = ["9.9.9.9"]
}
