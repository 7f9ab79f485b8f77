# Ports of cards in a board that has ports of its own.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

port "lan1" { # ERROR: interface-name-clash
  mac = "00:00:5e:00:53:01"
}

port "card" {
  pci = "pci-0000:01:00.0" # ERROR: bad-value
}

port "adapter" {
  mac = "00-00-5e" # ERROR: bad-value
}

network "lan" {
  link = port.lan2
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}
