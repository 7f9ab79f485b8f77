# Ports that hosts ask for, and a policy that closes them all.

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

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["upnp"]
}

policy "nothing-in" {
  from   = [zone.wan]
  to     = [zone.lan]
  action = "drop"
}

upnp {
  external = network.wan
  networks = [network.lan] # WARNING: upnp-closed
}
