# Networks, but no router block.

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1"    # ERROR: bad-value
}

zone "lan" {
  networks = [network.lam] # ERROR: no-such-reference
}
