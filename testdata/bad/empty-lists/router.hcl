# Lists with nothing in them, where that does something else than it seems to.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  name_servers  = [] # WARNING: empty-list
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
}

zone "wan" {
  networks = [network.wan]
}

zone "none" {
  networks = [] # WARNING: empty-list
}

policy "from" {
  from   = [] # WARNING: empty-list
  to     = [zone.wan]
  action = "accept"
}

policy "to" {
  from   = [zone.lan]
  to     = [] # WARNING: empty-list
  action = "accept"
}

policy "protocols" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "accept"
  protocols = [] # WARNING: empty-list
  ports     = [] # WARNING: empty-list
}
