# Values that grow while they are evaluated, far beyond what a router needs.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  number = "${1e9999999}" # ERROR: bad-value
  width  = format("%1000000000d", 1) # ERROR: function-call
  list   = range(1000)
  cube   = [for a in local.list : [for b in local.list : [for c in local.list : 1]]] # ERROR: too-costly
}
