router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  import        = ["modules"] # ERROR: not-a-file
}

secret "s" {
  source = "sops"
  file   = "modules" # ERROR: not-a-file
}
