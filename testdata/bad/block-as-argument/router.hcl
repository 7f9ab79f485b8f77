# A nested block that is not known.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"

  reservation "nas" { # ERROR: unsupported-block
    mac = "02:11:22:33:44:55"
  }
}
