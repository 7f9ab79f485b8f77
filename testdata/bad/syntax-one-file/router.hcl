# A file that cannot be parsed says nothing. What the other files say is judged, but not what they may find in it.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "guest" {
  link = port.lan4 # a card, which the other file may have a block of
  ipv4 = "192.168.2.1/33" # ERROR: bad-value
}

zone "lan" {
  networks = [network.lan, network.guest]
}
