# The second letter of the name of network.wan is Cyrillic. What refers to it is not told as well.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wаn" { # ERROR: bad-value
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}
