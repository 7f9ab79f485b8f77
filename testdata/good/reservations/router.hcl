# for_each also repeats what is inside a block: hosts and peers are data.
locals {
  hosts = {
    nas     = { mac = "02:00:00:00:00:01", host = 10 }
    printer = { mac = "02:00:00:00:00:02", host = 11 }
  }
  peers = {
    phone  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    laptop = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
  }
}

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

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

zone "lan" {
  networks = [network.lan, network.vpn]
  allow    = ["dhcp", "wireguard"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.150"]
  dns     = ["9.9.9.9"]

  reservation "host" {
    for_each = local.hosts
    mac      = each.value.mac
    ipv4     = cidrhost(network.lan.ipv4, each.value.host)
  }
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0

  peer "p" {
    for_each    = local.peers
    public_key  = each.value
    allowed_ips = ["${cidrhost(network.vpn.ipv4, index(keys(local.peers), each.key) + 2)}/32"]
  }
}
