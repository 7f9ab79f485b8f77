# What is shaped stands on itself.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}
vlan "a" { # ERROR: link-loop
  link = vlan.a
  id   = 7
}
network "wan" {
  link = vlan.a
  ipv4 = "dhcp"
}
zone "wan" { networks = [network.wan] }
shaper "wan" {
  network  = network.wan
  upload   = "40Mbit"
  download = "100Mbit"
}
