# Locals that need each other.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  a = local.b # ERROR: cycle
  b = "${local.c}x"
  c = local.a
  d = local.e # ERROR: no-such-attribute
}

network "lan" {
  link = port.lan1
  ipv4 = local.a
}
