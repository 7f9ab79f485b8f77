variable "a" { # ERROR: duplicate
  default = 2
}
