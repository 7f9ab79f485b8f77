# Networks behind relays that are elsewhere, or nowhere.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["10.9.0.53"]
}

network "between" {
  link = port.lan1
  ipv4 = "10.9.0.1/24"
}

network "lan" {
  link = port.lan2
  ipv4 = "192.168.1.1/24"
}

route "behind" {
  to  = "10.20.0.0/24"
  via = "10.9.0.2"
}

route "other" { # through another network
  to  = "10.30.0.0/24"
  via = "192.168.1.2"
}

zone "inside" {
  networks = [network.between, network.lan]
}

host "scanner" {
  network = network.between # ERROR: bad-class
  mac     = "02:11:22:33:44:55"
}

dhcp4 "behind" {
  network = network.between
  pool    = ["10.20.0.100-10.20.0.199", "10.9.0.100-10.9.0.109"] # ERROR: pool-outside-network
  dns     = ["10.9.0.53"]

  relay {
    address = "10.20.0.1/24"
    from    = ["2001:db8::2"] # ERROR: bad-value
  }

  class "scanners" {
    hosts     = [host.scanner]
    boot_file = "a"
  }
}

dhcp4 "twice" {
  network = network.between
  pool    = ["10.20.0.20-10.20.0.30"]
  dns     = ["10.9.0.53"]

  relay {
    address = "10.20.0.2/25" # ERROR: relay-clash
  }
}

dhcp4 "own" {
  network = network.between
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["10.9.0.53"]

  relay {
    address = "192.168.1.254/24" # ERROR: relay-clash
  }
}

dhcp4 "unrouted" {
  network = network.between
  pool    = ["10.30.0.100-10.30.0.199"]
  dns     = ["10.9.0.53"]

  relay {
    address = "10.30.0.1/24" # WARNING: relay-without-route
  }
}
