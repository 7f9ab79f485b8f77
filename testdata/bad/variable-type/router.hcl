# Types and defaults that do not fit.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

variable "a" {
  type    = number
  default = "many" # ERROR: bad-value
}

variable "b" {
  type = text # ERROR: bad-type
}

variable "c" {
  type    = list(number)
  default = ["one"] # ERROR: bad-value
}

variable "d d" { # ERROR: bad-name
  default = 1
}

variable "e" {
  default = 1
  typ     = string # ERROR: unsupported-argument
}

variable "f" {
  default = local.x # ERROR: no-such-variable
}
