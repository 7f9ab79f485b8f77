network "lan" { # ERROR: duplicate
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

firewall {
}
