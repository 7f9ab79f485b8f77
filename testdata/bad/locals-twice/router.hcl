# One name in two locals blocks.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  a = 1
}

locals {
  a = 2 # ERROR: duplicate
}
