# LLDP on links without a cable, on ports twice, towards the provider, and neighbours that cannot be heard.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}

zone "all" {
  networks = [network.lan, network.wan]
}

lldp {
  links = [
    port.lan1,
    bridge.br-lan, # ERROR: lldp-without-cable
    port.wan,      # WARNING: lldp-outside
  ]
  listen = [port.lan1] # ERROR: lldp-twice

  neighbor "a" {
    link   = port.lan2 # ERROR: lldp-unheard
    system = "a"
  }

  neighbor "b" {
    link   = port.lan1
    system = "b"
  }

  neighbor "c" { # ERROR: lldp-neighbor-twice
    link   = port.lan1
    system = "b"
  }
}
