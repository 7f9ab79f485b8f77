# Secrets that are nowhere, or in two places.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

secret "a" { # ERROR: secret-without-path
}

secret "b" {
  path = "/var/lib/secrets/b"
  file = "b.yaml" # ERROR: secret-without-path
}

secret "c" { # ERROR: secret-without-path
  source = "sops"
}

secret "d" {
  source = "agenix"
  file   = "d.age"
  path   = "/run/agenix/d" # ERROR: secret-without-path
}

secret "e" {
  source = "sops"
  file   = "missing.yaml" # ERROR: no-such-file
}

secret "f" {
  source = "sops"
  file   = "plain.yaml" # ERROR: secret-not-encrypted
}

secret "g" {
  source = "agenix"
  file   = "plain.yaml" # ERROR: secret-not-encrypted
}

secret "i" {
  path = "/var/lib/secrets/i"
  key  = "i" # ERROR: secret-without-path
}

secret "h" {
  for_each = ["10"] # ERROR: bad-value
  path     = "/var/lib/secrets/h"
}
