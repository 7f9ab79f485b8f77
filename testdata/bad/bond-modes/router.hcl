# Settings of bonds for another mode, and bonds of too few ports.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bond "bond0" {
  ports         = [port.end1, port.end2]
  mode          = "active-backup"
  lacp_rate     = "fast"     # ERROR: bond-mode
  transmit_hash = "layer3+4" # ERROR: bond-mode
  min_links     = 2          # ERROR: bond-mode
}

bond "bond1" {
  ports     = [port.lan1, port.lan2]
  mode      = "802.3ad"
  min_links = 3 # ERROR: bond-min-links
}

bond "bond2" {
  ports = [port.lan3] # WARNING: bond-of-one-port
  mode  = "balance-xor"
}
