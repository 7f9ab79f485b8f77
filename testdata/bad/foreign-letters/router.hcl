# Letters that look like others.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lаn1 # ERROR: foreign-letter
  ipv4 = "192.168.1.1/24"
}

zоne "lan" { # ERROR: foreign-letter
  networks = [network.lan]
}
