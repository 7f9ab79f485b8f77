# Ports of an address that the Internet cannot send to.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "100.64.7.2/24"
  gateway = "100.64.7.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["upnp"]
}

upnp {
  external = network.wan # ERROR: upnp-private
  networks = [network.lan]
}
