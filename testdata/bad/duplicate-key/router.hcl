# A secret whose key is the name of another secret.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "keys" {
  for_each = ["wg0", "wg1"]
  path     = "/var/lib/secrets/${each.key}"
}

input "more" {
  for_each = ["a", "nixos-sbc"]
  url      = "github:example/${each.key}"
}

input "a" { # ERROR: duplicate
  url = "github:example/a"
}

secret "wg1" { # ERROR: duplicate
  path = "/var/lib/secrets/wg1"
}

secret "wg2" {
  path = "/var/lib/secrets/wg2"
}
