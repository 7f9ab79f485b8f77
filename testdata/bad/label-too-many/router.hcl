# Labels where none are expected.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

ssh "lan" { # ERROR: block-labels
  networks = []
}
