# Flow offload, and a shaper that has to see all packets that there are to offload.

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

shaper "line" {
  network  = network.wan
  download = "237mbit"
  upload   = "38mbit"
}

firewall {
  flow_offload = true # WARNING: nothing-to-offload
}
