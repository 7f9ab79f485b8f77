# Blocks of which there is one.

router "r" {
  for_each      = ["a"] # ERROR: bad-for-each
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
}

firewall {
  for_each = ["a"] # ERROR: bad-for-each
}
