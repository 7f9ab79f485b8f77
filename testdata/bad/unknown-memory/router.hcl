# A size that the board does not come in.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "16GiB" # ERROR: no-such-memory
  state_version = "25.11"
  console_only  = true
}
