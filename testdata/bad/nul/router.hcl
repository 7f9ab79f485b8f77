# U+0000 in texts of all kinds.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  description   = "\u0000" # ERROR: bad-value
}

interfaces {
  ignore = ["wg\u0000"] # ERROR: bad-value
  extra  = { a = ["\u0000"] } # ERROR: bad-value
}

nix {
  extra = { a = { b = "\u0000" } } # ERROR: bad-value
}
