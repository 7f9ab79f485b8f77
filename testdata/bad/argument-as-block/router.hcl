# A block where a value is expected.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  ports { # ERROR: unsupported-block
  }
}
