# Ports of a network that is not the way to the Internet, for hosts that are of it.

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

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "six" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/64"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["upnp"]
}

zone "lan" {
  networks = [network.lan, network.six]
  allow    = ["upnp"]
}

upnp {
  external = network.lan                             # ERROR: upnp-external
  networks = [network.lan, network.wan, network.six] # ERROR: upnp-outside # ERROR: no-fixed-address
  ports    = ["1024-2048", 2000]                     # ERROR: ports-twice
}
