# Not UTF-8: a file in Latin-1.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  description   = "Zürich"
  console_only  = true
}
