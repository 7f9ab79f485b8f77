# Two shapers on one link, and a link that is called like a shaper's own interface.

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

network "guests" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "guests" {
  networks = [network.guests]
}

shaper "line" {
  network  = network.wan
  download = "237mbit"
  upload   = "38mbit"
}

shaper "guests" {
  network  = network.wan # ERROR: shaped-twice
  download = "20mbit"
  upload   = "5mbit"
}

vlan "cameras" { # ERROR: shaper-name
  link = port.lan2
  id   = 5
  name = "ifb-wan"
}

network "cameras" {
  link = vlan.cameras
  ipv4 = "192.168.5.1/24"
}

zone "cameras" {
  networks = [network.cameras]
}
