# Choices of the firmware block.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

firmware {
  kernel          = "mainline" # ERROR: bad-value
  kernel_options  = ["wg0"]    # ERROR: bad-value
  root_filesystem = "zfs"      # ERROR: bad-value

  atf_source {
    version = "v2.14 with a flag" # ERROR: bad-value
    rev     = "0000000000000000000000000000000000000000"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }

  kernel_source {
    version = "6.12.117-bpi-r4-with-a-name-that-is-longer-than-what-uname-can-print" # ERROR: bad-value
    rev     = "0000000000000000000000000000000000000000"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }
}
