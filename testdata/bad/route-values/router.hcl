# Values that IfState refuses when the router starts, which would then have no network.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

zone "lan" {
  networks = [network.lan]
}

route "below" {
  to     = "10.5.0.0/16"
  via    = "10.1.0.9"
  metric = -5 # ERROR: bad-value
}

route "beyond" {
  to     = "10.6.0.0/16"
  via    = "10.1.0.9"
  metric = 4294967296 # ERROR: bad-value
}

interfaces {
  ignore = [
    "^tailscale[0-9]+$",
    "[",          # ERROR: bad-value
    "(?<a>b)",    # ERROR: bad-value
    "^(?!wg)",    # ERROR: bad-value
    "wg{,2}",     # ERROR: bad-value
    "[[:alpha:]]" # ERROR: bad-value
  ]
}
