# Values for variables that the spec does not have.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

variable "lan" {
  default = "192.168.1.1/24"
}

network "lan" {
  link = port.lan1
  ipv4 = var.lam # ERROR: no-such-attribute
}
