# The same for computed values.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  none = null
  list = ["9.9.9.9", null]
  text = "two"
}

resolver {
  networks = [] # ERROR: empty-list
  workers  = local.text # ERROR: bad-value
  forward  = local.list # ERROR: bad-value
}

nix {
  generations = "many" # ERROR: bad-value
  flakes      = {}     # ERROR: bad-value
}

time {
  servers = local.text # ERROR: not-a-list
  nts     = local.none
}
