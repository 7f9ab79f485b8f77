# One uplink, beside which there is none to take.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

uplink "wan" { # ERROR: uplink-alone
  network  = network.wan
  priority = 1
  probes   = ["icmp:198.51.100.1"]
}
