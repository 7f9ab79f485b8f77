# Two programs on one socket.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["wireguard"]
}

secret "wg" {
  path = "/var/lib/secrets/wg"
}

wireguard "wg0" { # WARNING: tunnel-without-peers
  private_key = secret.wg
  listen      = 51820
}

wireguard "wg1" { # WARNING: tunnel-without-peers
  private_key = secret.wg # ERROR: secret-of-two-kinds
  listen      = 51820 # ERROR: listen-clash
}
