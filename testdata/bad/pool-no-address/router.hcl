# A DHCP server where the router has no fixed address.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

dhcp4 "wan" {
  network = network.wan # ERROR: no-fixed-address
  pool    = ["192.168.1.100-192.168.1.199"]
}
