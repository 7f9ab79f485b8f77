router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "admin" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "home" {
  networks = [network.lan, network.admin]
  allow    = ["metrics"]
}

exporter "node" {
  networks = [network.lan]
  port     = 9200
}
