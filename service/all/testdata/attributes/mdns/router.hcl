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

network "guest" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

network "office" {
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}

zone "inside" {
  networks = [network.lan, network.guest, network.office]
  allow    = ["mdns"]
}

mdns {
  networks = [network.lan, network.guest]
  publish  = true
}
