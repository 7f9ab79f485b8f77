# A value that its own block refuses, and conditions that are none.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

variable "vlan" { # ERROR: variable-refused
  type    = number
  default = 5000

  validation {
    condition     = var.vlan < 4095
    error_message = "A VLAN identifier is below 4095."
  }
}

variable "name" {
  default = "r"

  validation {
    condition     = "yes please" # ERROR: bad-value
    error_message = "Say please."
  }
}

variable "board" {
  default = "b"

  validation { # ERROR: missing-argument
    condition = true
  }
}
