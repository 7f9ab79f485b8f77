# What stands in a list twice.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  name_servers  = ["9.9.9.9", "149.112.112.112", "9.9.9.9"] # ERROR: named-twice
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
  networks = [network.lan]
  allow    = ["ssh", "ssh"] # ERROR: named-twice
}

zone "wan" {
  networks = [network.wan]
}

policy "p" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "accept"
  protocols = ["tcp", "tcp"]                 # ERROR: named-twice
  ports     = [80, "8000-8080", "8000-8080"] # ERROR: named-twice
}

check "arguments" {
  command = ["ping", "-c", "1", "1"]
}

wireguard "wg0" {
  private_key = secret.wg0

  peer "a" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32", "10.8.0.2/32"] # ERROR: named-twice
    endpoint    = "192.0.2.1:51820"
  }
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.10-192.168.1.20"]
  dns     = [] # WARNING: empty-list
}
