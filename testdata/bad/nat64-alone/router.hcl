# A translator that no host may use, on a router without IPv4 towards the Internet, and without a
# network.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2620:fe::fe"]
}

network "wan" {
  link = port.wan
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv6 = "2001:db8:1::1/64"
}

nat64 "nat64" {} # WARNING: nat64-unused # ERROR: nat64-uplink

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

zone "nat64" {
  networks = [network.nat64]
}
