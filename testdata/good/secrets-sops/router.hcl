# Secrets that sops-nix puts in place.

router "sops" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

input "sops-nix" {
  url     = "github:Mic92/sops-nix"
  follows = ["nixpkgs"]
}

secret "wg0" {
  source = "sops"
  file   = "secrets/router.yaml"
}

secret "root" {
  source = "sops"
  file   = "secrets/router.yaml"
  key    = "passwords/root"
}

secret "psk" {
  for_each = ["laptop", "phone"]
  source   = "sops"
  file     = "secrets/router.yaml"
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "laptop" {
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    preshared_key = secret.psk["laptop"]
    allowed_ips   = ["10.8.0.2/32", "fd00:8::2/128"]
    endpoint      = "laptop.example.org:51820"
    keepalive     = 25
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
