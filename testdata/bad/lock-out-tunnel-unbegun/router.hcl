# The only way in is a tunnel that neither end begins.

router "r" { # ERROR: lock-out
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

ssh {
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "desk" { # WARNING: peer-silent
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
  }
}

network "lan" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

