# The kernels of all generations have to fit beside everything else.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.0.2.1/24"
}

zone "lan" {
  networks = [network.lan]
}

nix {
  generations = 50 # WARNING: boot-budget
}

firmware {
  card = "16GiB"
}
