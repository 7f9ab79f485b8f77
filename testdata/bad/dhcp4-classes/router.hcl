# Classes of hosts that no server can tell from others, or that get what they cannot have.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "lab" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan, network.lab]
  allow    = ["dhcp"]
}

host "still" { # of no MAC address
  network = network.lan
  ipv4    = "192.168.1.10"
}

host "far" {
  network = network.lab # ERROR: bad-class
  mac     = "02:11:22:33:44:55"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.150"]
  dns     = ["192.168.1.53"]

  class "all" { # ERROR: bad-class
    boot_file = "a"
  }
  class "same" { # ERROR: bad-class
    vendor_class = ["snom"]
  }
  class "hosts" {
    hosts     = [host.still, host.far] # ERROR: bad-class
    boot_file = "a"
  }
  class "pools" {
    mac_prefix = ["00:04:13"]
    pool       = ["192.168.1.140-192.168.1.160", "192.168.3.1-192.168.3.9"] # ERROR: pools-overlap pool-outside-network
  }
  class "options" {
    user_class  = ["iPXE"]
    next_server = "2001:db8::9" # ERROR: bad-value

    option "v6-only-preferred" { # ERROR: bad-option
      value = ["1800"]
    }
    option "82" { # ERROR: bad-option
      hex = "00"
    }
    option "routers" {
      value = ["192.168.2.1"] # ERROR: server-not-there
    }
    option "domain-name-servers" {
      value = ["192.168.1.1"] # ERROR: server-not-there
    }
  }
}

dhcp4 "lab" {
  network = network.lab
  pool    = ["192.168.2.100-192.168.2.150"]
  dns     = ["192.168.1.53"]

  class "texts" {
    vendor_class = ["snöm"]              # ERROR: bad-value
    user_class   = [""]                  # ERROR: bad-value
    circuit_id   = ["0x001"]             # ERROR: bad-value
    mac_prefix   = ["00:04", "01:00:5e"] # ERROR: bad-value bad-value
    boot_file    = "a"
  }
}
