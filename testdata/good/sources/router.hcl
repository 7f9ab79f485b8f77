# Kernel and firmware of other sources than nixos-sbc's.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

firmware {
  kernel_source {
    version = "6.12.117-bpi-r4"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    date    = "2026-01-20"
  }

  atf_source {
    version = "2.14.0"
    rev     = "e06f258664198a901ff1c7c0c87802a115179451"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }

  uboot_source {
    version = "2025.04"
    hash    = "sha256-Q5077ylu/9VBML5qcxxbEYvn/d1/zGY8y8X7GClNhxg="
  }
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}
