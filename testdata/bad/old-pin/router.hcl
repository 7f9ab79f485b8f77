router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  release       = "26.05" # WARNING: old-pin
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}

firmware {
  kernel_source {
    version = "6.12.100-bpi-r4" # WARNING: old-pin
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    date    = "2026-09-20"
  }
}
