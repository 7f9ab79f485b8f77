# MAC addresses that no single host has.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

bridge "br0" {
  ports = []
  mac   = "01:00:5e:00:00:01" # ERROR: bad-value
}

dhcp4 "lan" {
  network = network.lan
  pool    = []

  reservation "a" {
    mac  = "02:11:22:33:44"  # ERROR: bad-value
    ipv4 = "192.168.1.10/32" # ERROR: bad-value
  }

  reservation "b_c" {                  # ERROR: bad-value
    mac  = "02:11:22:33:44:55:66:77" # ERROR: bad-value
    ipv4 = "192.168.1.11"
  }
}
