# Every value of the router block.

router "-r-" { # ERROR: bad-value
  board         = "bananapi-bpir4"
  memory        = "4 gigs"         # ERROR: bad-value
  release       = "24.05"          # ERROR: bad-value
  state_version = "now"            # ERROR: bad-value
  time_zone     = "Berlin"         # ERROR: bad-value
  import        = ["../mine.nix", "/etc/mine.nix", ".hidden.nix"] # ERROR: bad-value bad-value bad-value
}
