# One generation is the one that runs.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

nix {
  generations = 0 # ERROR: bad-value
}
