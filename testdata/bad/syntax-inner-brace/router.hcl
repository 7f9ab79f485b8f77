# The brace at the end of the second block closes the reservation inside of it, as its place shows.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

dhcp4 "lan" {
  network = network.lan

  reservation "nas" { # ERROR: syntax
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.1.10"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
