# Expressions that go wrong.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

locals {
  a = 1 + "x"                     # ERROR: bad-value
  b = "x${["a"]}"                 # ERROR: bad-value
  c = true ? 1 : [2]              # ERROR: expression
  d = foo.bar                     # ERROR: no-such-variable
  e = [for x in 5 : x]            # ERROR: expression
  f = { a = 1 }["b"]              # ERROR: no-such-attribute
  g = "x" ? 1 : 2                 # ERROR: expression
  h = { for k in ["a", "a"] : k => 1 } # ERROR: duplicate
}
