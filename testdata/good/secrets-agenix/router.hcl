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

  peer "laptop" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
    endpoint    = "laptop.example.org:51820"
  }
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

zone "vpn" {
  networks = [network.vpn]
}

user "root" {
  hashed_password_file = secret.root
}
