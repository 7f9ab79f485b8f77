# One folder is one router.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

router "s" { # ERROR: duplicate
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
}
