# A list of names that is one name, by a key that is none.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = network[network] # ERROR: not-a-list
  allow    = ["ssh"]
}

ssh {
  networks = [network.lan]
}
