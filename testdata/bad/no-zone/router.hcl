# A network in no zone.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" { # WARNING: network-without-zone
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
