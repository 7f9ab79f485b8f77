# What arrives on a link by DHCP or advertisements is the link's, so it is one network.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "b" {
  link = port.wan
  ipv6 = "auto" # ERROR: dynamic-twice
}

network "c" {
  link = port.wan
  ipv4 = "dhcp" # ERROR: dynamic-twice
}

zone "a" {
  networks = [network.a, network.b, network.c]
}
