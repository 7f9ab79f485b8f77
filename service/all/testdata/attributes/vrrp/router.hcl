router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.0.2.53"]
}

network "a" {
  link = port.lan1
  ipv6 = "fd00:1::2/64"
}

network "b" {
  link = port.lan2
  ipv6 = "fd00:2::2/64"
}

network "c" {
  link = port.lan3
  ipv6 = "fd00:3::2/64"
}

zone "all" {
  networks = [network.a, network.b, network.c]
}

vrrp "a" {
  network   = network.a
  id        = 1
  addresses = ["fe80::1"]
  interval  = "1s"
}

vrrp "b" {
  network   = network.b
  id        = 2
  addresses = ["fe80::2"]
}
