# A router behind this one hands over what its hosts ask by DHCP; hosts between the two are served
# on their link.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "between" {
  link = port.lan1
  ipv4 = "10.9.0.1/24"
}

route "warehouse" {
  to  = "10.20.0.0/23"
  via = "10.9.0.2"
}

zone "between" {
  networks = [network.between]
  allow    = ["dhcp", "dns"]
}

resolver { # for hosts behind the other router, too
  networks = [network.between]
}

dhcp4 "between" {
  network = network.between
  pool    = ["10.9.0.100-10.9.0.199"]
  dns     = ["10.9.0.53"]
}

dhcp4 "warehouse" {
  network = network.between
  pool    = ["10.20.0.100-10.20.0.199"]
  lease   = "1h"

  relay {
    address = "10.20.0.1/24"
    from    = ["10.9.0.2"]
  }

  class "dock" {
    circuit_id = ["dock"]
    pool       = ["10.20.0.200-10.20.0.209"]
  }

  reservation "scanner" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "10.20.0.10"
  }
}

dhcp4 "cellar" {
  network = network.between
  pool    = ["10.20.1.100-10.20.1.199"]
  dns     = ["10.9.0.53"]

  relay {
    address = "10.20.1.1/24"
    from    = ["10.9.0.2"]
  }
}
