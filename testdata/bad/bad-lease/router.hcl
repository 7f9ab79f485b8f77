# Durations and ranges.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["DHCP please"] # ERROR: bad-value
}

dhcp4 "lan" {
  network = network.lan
  lease   = "12 hours"                                                                    # ERROR: bad-value
  pool    = ["192.168.1.100", "192.168.1.9-192.168.1.1", "192.168.1.5-fd00::1"] # ERROR: bad-value bad-value bad-value
  dns     = ["dns.quad9.net"]                                                             # ERROR: bad-value
}
