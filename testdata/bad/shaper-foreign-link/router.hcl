# IfState sets up no queue on a modem's link, which it leaves alone.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

link "wwan0" {}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "wwan" {
  link = link.wwan0
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan, network.wwan]
}

shaper "line" {
  network  = network.wwan # ERROR: shaper-foreign-link
  download = "237mbit"
  upload   = "38mbit"
}
