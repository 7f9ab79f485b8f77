# Locals hold arguments only.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  a = 1

  b { # ERROR: unsupported-block
  }
}
