# Name servers of two kinds.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"] # ERROR: needless-name-servers
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
  allow    = ["dns"]
}

zone "wan" {
  networks = [network.wan]
}

resolver {
  networks = [network.lan]
}
