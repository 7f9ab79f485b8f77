# Values of the wrong type.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  ports = port.lan1 # ERROR: not-a-list
  stp   = "perhaps" # ERROR: bad-value
  mtu   = [1500]    # ERROR: bad-value
}

resolver {
  networks = [] # ERROR: empty-list
  workers  = 1.5       # ERROR: bad-value
  forward  = "9.9.9.9" # ERROR: not-a-list
}

nix {
  generations = 1e30 # ERROR: bad-value
}

time {
  servers = [null] # ERROR: bad-value
}

ssh {
  networks = [] # ERROR: empty-list
  port     = null
  extra    = ["MaxAuthTries"] # ERROR: bad-value
}

interfaces {
  extra = { a = [1e400] } # ERROR: bad-value
}
