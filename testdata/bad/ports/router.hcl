# Ports of a PC that are none, or two.

router "r" {
  board         = "pc-x86_64"
  state_version = "26.05"
  console_only  = true
}

port "eth0" {} # WARNING: port-counted

port "eth1" { # ERROR: port-name-of-linux
  mac = "00:00:5e:00:53:01"
}

port "enp1s0" { # ERROR: port-name-of-linux
  pci = "0000:01:00.0"
}

port "lan1" {} # ERROR: port-not-said

port "lan2" {
  pci = "0000:02:00.0"
}

port "lan3" {
  pci = "02:00.0" # ERROR: port-twice
}

port "lan4" {
  mac = "00:00:5e:00:53:04"
}

port "lan5" {
  mac = "00:00:5E:00:53:04" # ERROR: port-twice
}

port "all" { # ERROR: reserved-name
  mac = "00:00:5e:00:53:06"
}

bridge "br-lan" {
  ports = [port.eth0, port.eth1, port.enp1s0, port.lan1, port.lan2, port.lan3, port.lan4, port.lan5, port.all]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}
