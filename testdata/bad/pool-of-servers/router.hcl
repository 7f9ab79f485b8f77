# Addresses of a pool that the rest of the spec takes for those of one host.

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
  networks = [network.lan]
  allow    = ["dns", "dhcp"]
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

host "nas" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.110"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["192.168.1.153", "192.168.1.1", "192.168.1.111"] # WARNING: pool-holds-host

  reservation "names" {
    mac  = "02:11:22:33:44:66"
    ipv4 = "192.168.1.111"
  }
}

resolver {
  networks = [network.lan]
  forward  = ["192.168.1.154", "192.168.1.54"] # WARNING: pool-holds-host
}

time {
  servers = ["192.168.1.155"] # WARNING: pool-holds-host
}

route "cellar" {
  to  = "10.0.0.0/8"
  via = "192.168.1.156" # WARNING: pool-holds-host
}

port_forward "web" {
  from = zone.wan
  port = 80
  to   = "192.168.1.157" # WARNING: pool-holds-host
}

port_forward "files" {
  from = zone.wan
  port = 8080
  to   = "192.168.1.110"
}
