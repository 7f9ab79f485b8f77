# Servers, and the end of a tunnel, to which no route leads: of a version of IP that the upstream
# does not have, or in no network where there is no way out.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "wan" {
  link    = port.wan
  ipv4    = "192.0.2.2/24"
  gateway = "192.0.2.1"
}

route "office" {
  to  = "2001:db8:1::/48"
  via = "fd00:1::9"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns"]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

resolver {
  networks = [network.lan]
  forward  = [
    "9.9.9.9",
    "2620:fe::fe", # WARNING: out-of-reach
    "fd00:1::53",
    "2001:db8:1::53"
  ]
  extra = { # WARNING: out-of-reach
    forward = [{ subtree = "corp.example.org", servers = ["2001:db8:2::53"] }] # WARNING: extra-overrides
  }
}

time {
  servers = ["192.0.2.123", "2001:db8:2::123", "ntp.example.org"] # WARNING: out-of-reach
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  private_key = secret.wg0
  listen      = 51820

  peer "desk" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    endpoint    = "[2001:db8:2::9]:51820" # WARNING: out-of-reach
    allowed_ips = ["10.8.0.2/32"]
  }
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

zone "vpn" {
  networks = [network.vpn]
}
