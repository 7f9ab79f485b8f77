network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24
}
