# What only boards of nixos-sbc have.

router "r" {
  board         = "pc-x86_64"
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

nix {
  generations = 40 # WARNING: boot-budget
}

firmware {
  root_filesystem                  = "btrfs" # ERROR: no-such-filesystem
  binary_cache                     = true    # ERROR: no-binary-cache
  watchdog                         = true    # ERROR: no-watchdog
  accept_regulatory_responsibility = true    # ERROR: no-radio

  kernel_source { # ERROR: useless-source
    version = "6.12.63"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }

  atf_source { # ERROR: useless-source
    version = "2.13.0"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }

  uboot_source { # ERROR: useless-source
    version = "2025.07"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }
}
