# A journal without room and without end.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

journal {
  size = "8MiB" # ERROR: bad-value
  keep = 0      # ERROR: bad-value
}
