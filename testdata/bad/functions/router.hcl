# Calls that go wrong.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv4 = cidrhots("192.168.1.0/24", 1) # ERROR: no-such-function
}

network "b" {
  link = port.lan2
  ipv4 = cidrhost("192.168.1.0/24", 256) # ERROR: function-call
}

network "c" {
  link = port.lan3
  ipv4 = cidrhost("192.168.1.0/24") # ERROR: function-call
}

network "d" {
  link = port.wan
  ipv4 = cidrsubnet("192.168.1.0/24", 8, 256) # ERROR: function-call
  ipv6 = cidrhost("fd00::/64", "one")         # ERROR: function-call
}

locals {
  a = cidrnetmask("fd00::/64")              # ERROR: function-call
  b = cidrsubnets("192.168.1.0/24", 4, 30)  # ERROR: function-call
  c = cidrcontains("192.168.1.0/24", "nas") # ERROR: function-call
  d = upper()                               # ERROR: function-call
  e = parseint("z", 10)                     # ERROR: function-call
  f = lower("a", "b")                       # ERROR: function-call
  g = cidrhost("192.168.1.0/24", 1.5)       # ERROR: function-call
}
