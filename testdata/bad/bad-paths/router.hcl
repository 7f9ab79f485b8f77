# Paths of secrets. That they lack a path is not told as well.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "a" {
  path = "run/secrets/a" # ERROR: bad-value
}

secret "b" {
  path = "/run/../etc/b" # ERROR: bad-value
}

secret "c" {
  path = "/nix/store/c" # ERROR: bad-value
}

secret "d" {
  source = "vault" # ERROR: bad-value
  file   = "../d"  # ERROR: bad-value
}
