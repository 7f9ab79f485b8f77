# One secret for two things.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan, network.a, network.b]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

secret "one" {
  path = "/var/lib/secrets/one"
}

wireguard "a" {
  private_key = secret.one
  listen      = 51820

  peer "phone" {
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips   = ["10.1.0.2/32"]
    preshared_key = secret.one # ERROR: secret-of-two-kinds
  }
}

network "a" {
  link = wireguard.a
  ipv4 = "10.1.0.1/24"
}

wireguard "b" {
  private_key = secret.one # ERROR: secret-of-two-kinds
  listen      = 51821

  peer "phone" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.2.0.2/32"]
  }
}

network "b" {
  link = wireguard.b
  ipv4 = "10.2.0.1/24"
}
