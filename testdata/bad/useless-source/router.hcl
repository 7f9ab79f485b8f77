router "r" {
  board         = "pine64-rock64v3"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.end0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}

firmware {
  kernel_source { # ERROR: useless-source
    version = "6.12.117"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }

  atf_source { # ERROR: useless-source
    version = "2.14.0"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }
}
