# Interfaces that are to be left alone, and to be configured.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

bridge "br0" {
  ports = [port.lan1]
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

link "wwan0" {}

interfaces {
  ignore = [
    "lan1",  # WARNING: ignores-own-link
    "^br",   # WARNING: ignores-own-link
    "^lan3", # nothing is on it
    "wwan",
    "br0x"
  ]
}
