# Values with characters that look like others.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lаn" { # ERROR: bad-value
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wide" {
  link = port.lan2
  ipv4 = "192.168.２.1/24" # ERROR: bad-value
}

network "lan" {
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.3.10–192.168.3.20"] # ERROR: bad-value
  dns     = ["9.9.9.9"]
}

locals {
  größe = 1 # a name in a script of its own
}
