# VLANs of bridges that contradict themselves, or lead nowhere.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

bridge "br0" {
  ports = [port.lan3] # ERROR: bridge-vlans

  vlans "hosts" {
    ports    = [port.lan1]
    untagged = [10, 20] # ERROR: bridge-pvid
  }

  vlans "trunk" {
    ports    = [port.lan2, port.lan1] # ERROR: bridge-vlans
    pvid     = 30                     # ERROR: bridge-pvid
    untagged = [10]
    tagged   = ["5-12", 20, "20-25"] # ERROR: bridge-vlans bridge-vlans
  }
}

vlan "a" {
  link = bridge.br0
  id   = 10
}

vlan "b" {
  link = bridge.br0
  id   = 40 # WARNING: vlan-leads-nowhere
}

vlan "provider" {
  link     = bridge.br0
  id       = 11
  protocol = "802.1ad" # ERROR: bridge-vlans
}

vlan "below" {
  link = port.lan2
  id   = 22 # ERROR: vlan-twice
}

network "lan" {
  link = bridge.br0 # ERROR: bridge-pvid
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

link "tap0" {}

bridge "br1" {
  pvid = 7

  vlans "none" { # ERROR: bridge-vlans
    ports = [port.end1]
  }

  vlans "foreign" {
    ports    = [link.tap0] # ERROR: bridge-vlans
    untagged = [7]
  }
}

vlan "c" {
  link = bridge.br1
  id   = 7 # ERROR: bridge-pvid
}

bridge "br2" {
  ports = [port.wan]
  pvid  = 9 # ERROR: bridge-pvid
}

bridge "br3" {
  pvid = 8 # WARNING: vlan-leads-nowhere

  vlans "alone" {
    ports    = [port.end2]
    untagged = [99] # WARNING: vlan-leads-nowhere
  }
}
