# Inputs of the flake.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

input "nixos-sbc" {
  url     = "nixos-sbc"  # ERROR: bad-value
  follows = ["nix pkgs"] # ERROR: bad-value
}
