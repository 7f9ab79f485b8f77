# Less memory than NixOS starts with.

router "r" {
  board         = "pc-x86_64"
  memory        = "8MiB" # ERROR: no-such-memory
  state_version = "26.05"
  console_only  = true
}

port "enp2s0" {}

network "lan" {
  link = port.enp2s0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}
