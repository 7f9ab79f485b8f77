# The firmware has to know.

router "r" {
  board         = "bananapi-bpir4" # ERROR: memory-not-said
  state_version = "25.11"
  console_only  = true
}
