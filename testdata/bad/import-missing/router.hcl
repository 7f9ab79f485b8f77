# A module that is not there.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  import        = ["missing.nix"] # ERROR: no-such-file
}
