# Addresses that are no host's.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv4 = "0.0.0.0/0" # ERROR: bad-value
}

network "b" {
  link = port.lan2
  ipv4 = "224.0.0.1/24" # ERROR: bad-value
}

network "c" {
  link = port.lan3
  ipv4 = "192.168.1.255/24" # ERROR: bad-value
  ipv6 = "ff02::1/64"       # ERROR: bad-value
}
