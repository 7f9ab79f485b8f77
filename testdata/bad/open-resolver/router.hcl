# A resolver and a time server for the Internet.

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

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

resolver {
  networks = [network.lan, network.wan] # ERROR: open-resolver
  workers  = 0                          # ERROR: bad-value
}

time {
  networks = [network.wan] # ERROR: open-time-server
  nts      = true          # ERROR: nts-without-servers
}
