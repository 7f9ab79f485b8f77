# A quote that a word processor made.
router "r" {
  board         = "bananapi-bpir4"
  memory        = “4GiB” # ERROR: syntax
  state_version = "26.05"
  console_only  = true
}
