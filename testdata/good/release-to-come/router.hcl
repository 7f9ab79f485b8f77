# A release that is not out yet, with a nixpkgs of the spec's.
router "r" {
  board         = "pine64-rock64v3"
  memory        = "4GiB"
  release       = "26.11"
  state_version = "26.05"
  console_only  = true
}

input "nixpkgs" {
  url = "github:NixOS/nixpkgs/nixos-26.11"
}

network "lan" {
  link = port.end0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}
