# Services that the router does not have, or not there.

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
  allow    = ["ssh", "dnss", "gopher"] # ERROR: nothing-listens nothing-listens
}

zone "wan" {
  networks = [network.wan]
  allow    = ["ssh"] # ERROR: nothing-listens
}

ssh {
  networks = [network.lan]
}
