# Time-outs of a protocol that has none, of a port that has one already, and one that is short.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

service "vpn" {
  ports = ["gre"]
}

service "voice" {
  ports = ["udp/5060-5070"]
}

firewall {
  timeout "voice" {
    services = ["voice"]
    idle     = "60s" # WARNING: timeout-short
  }

  timeout "more" {
    services = ["sip"] # ERROR: timeout-twice
    idle     = "3h"
  }

  timeout "tunnel" {
    services = ["vpn"] # ERROR: timeout-protocol
    idle     = "3h"
  }
}
