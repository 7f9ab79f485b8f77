# What devices say of themselves is not for the Internet.

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

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["mdns"]
}

mdns {
  networks = [network.lan, network.wan] # ERROR: mdns-outside
}
