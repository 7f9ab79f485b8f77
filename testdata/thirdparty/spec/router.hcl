router "branch" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "core" {
  link = port.lan2
  ipv4 = "10.0.0.1/30"
}

network "office" {
  link = overlay.office
  ipv4 = "192.168.9.1/24"
}

zone "inside" {
  networks = [network.lan, network.office]
}

zone "core" {
  networks = [network.core]
}

overlay "office" {
  id       = 42
  network  = network.core
  peer     = "10.0.0.2"
  host     = "office"
  protocol = 200
}
