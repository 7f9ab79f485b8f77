# Links that are to carry larger packets than what carries them.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

# The kernel refuses it.
vlan "tagged" {
  link = port.lan1
  id   = 10
  mtu  = 1504 # ERROR: mtu-too-large
}

# Its port would drop the larger ones.
bridge "br-lan" {
  ports = [port.lan2]
  mtu   = 9000 # ERROR: mtu-too-large
}

# What another program makes may be larger.
link "wwan0" {
  mtu = 9000
}

vlan "modem" {
  link = link.wwan0
  id   = 20
  mtu  = 9000
}

vlan "upper" {
  link = vlan.modem
  id   = 30
  mtu  = 9001 # ERROR: mtu-too-large
}

# The kernel has no IPv6 on it.
vlan "small" {
  link = port.lan3
  id   = 40
  mtu  = 1000 # ERROR: mtu-too-small
}

network "small" {
  link = vlan.small
  ipv4 = "192.168.40.1/24"
  ipv6 = "2001:db8:40::1/64"
}

zone "small" {
  networks = [network.small]
}
