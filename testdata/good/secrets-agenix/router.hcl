# Secrets that agenix puts in place, one of them armoured.

router "agenix" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

input "agenix" {
  url     = "github:ryantm/agenix"
  follows = ["nixpkgs"]
}

secret "wg0" {
  source = "agenix"
  file   = "secrets/wg0.age"
}

secret "root" {
  source = "agenix"
  file   = "secrets/root.age"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
}

user "root" {
  hashed_password_file = secret.root
}
