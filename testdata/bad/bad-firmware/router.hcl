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
}
