# Links that nothing comes through.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

bridge "empty" {} # WARNING: bridge-without-ports

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

secret "c" {
  path = "/var/lib/secrets/c"
}

wireguard "alone" { # WARNING: tunnel-without-peers unused
  private_key = secret.a
}

wireguard "silent" {
  private_key = secret.b

  peer "phone" { # WARNING: peer-silent
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = [] # WARNING: empty-list
  }
}

wireguard "closed" {
  private_key = secret.c
  listen      = 51820 # WARNING: peer-silent
  mtu         = 1450  # WARNING: tunnel-mtu

  peer "phone" {
    public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
    allowed_ips = ["10.9.0.2/32"]
  }
}

network "silent" {
  link = wireguard.silent
  ipv4 = "10.8.0.1/24"
}

network "closed" {
  link = wireguard.closed
  ipv4 = "10.9.0.1/24"
}

zone "tunnels" {
  networks = [network.silent, network.closed]
}

vlan "iot" { # WARNING: unused
  link = port.lan1
  id   = 20
}

vlan "each" { # WARNING: unused unused
  for_each = { a = 30, b = 31 }
  link     = port.lan1
  id       = each.value
}

bond "trunk" { # WARNING: unused
  mode  = "active-backup"
  ports = [port.lan2, port.lan3]
}

dummy "d" {} # WARNING: unused

# It carries a VLAN, and a bridge by itself joins what is behind its ports.
bridge "lan" {
  ports = [vlan.used, port.end2]
}

vlan "used" {
  link = port.lan1
  id   = 40
}

secret "d" { # WARNING: unused
  path = "/var/lib/secrets/d"
}

prefix_list "none" { # WARNING: unused
  permit = ["10.0.0.0/8"]
}

address_set "none" { # WARNING: unused
  addresses = ["192.0.2.0/24"]
}
