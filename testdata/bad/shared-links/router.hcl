# Networks that share a link, which the firewall and the hosts there take for one.

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

network "guest" {
  link = port.lan1
  ipv6 = "fd00:1::1/64"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "modem" {
  link = port.wan
  ipv4 = "192.168.100.2/24"
  ipv6 = "fd00:100::2/64"
}

network "alone" { # WARNING: network-without-zone
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan]
}

zone "guest" {
  networks = [network.guest] # ERROR: link-in-two-zones
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns", "ntp", "metrics"]
}

resolver {
  networks = [network.modem] # ERROR: open-resolver
}

time {
  networks = [network.modem] # ERROR: open-time-server
}

agent {
  networks = [network.modem] # ERROR: open-metrics
}

router_advert "modem" {
  network = network.modem # ERROR: advertises-upstream
}
