# What a spec names is copied into the tree, so links must not lead out of its folder.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  import        = ["passwd.nix"] # ERROR: outside-folder
}

secret "s" {
  source = "agenix"
  file   = "s.age" # ERROR: outside-folder
}
