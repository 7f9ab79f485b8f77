# MTUs of the board's own ports that its drivers do not take, and one that is the kernel's to say.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

port "end0" { # ERROR: not-a-user-port
  mtu = 2000
}

port "lan1" {
  mtu = 9000 # ERROR: mtu-too-large
}

port "lan2" { # ERROR: interface-name-clash
  pci = "0000:01:00.0"
}

bond "pair" {
  ports = [port.end1, port.end2]
  mode  = "active-backup"
  mtu   = 9000 # ERROR: mtu-too-large
}

port "lan3" {
  mtu = 1504
}

secret "dsl" {
  path = "/var/lib/secrets/dsl"
}

pppoe "ppp0" {
  link     = port.lan3
  user     = "a@example.net"
  password = secret.dsl
  mtu      = 1500 # ERROR: mtu-too-large
}

network "dsl" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "all" {
  networks = [network.dsl, network.lan]
}
