# The bridge has another name than it had, and extra does not know.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br-inside" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link = bridge.br-inside
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

interfaces {
  extra = { # ERROR: extra-without-kind
    interfaces = {
      br-inside = { link = { br_ageing_time = 300 } }
      br-lan    = { link = { br_forward_delay = 200 } }
      dummy0    = { link = { kind = "dummy" } }
    }
  }
}
