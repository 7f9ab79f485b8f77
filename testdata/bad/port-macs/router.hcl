# MAC addresses, aliases and offloads that ports cannot have.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

port "end1" {
  cloned_mac = "02:00:00:00:00:01" # ERROR: cloned-mac
}

bond "bond0" {
  ports = [port.end1, port.end2]
  mode  = "active-backup"
}

port "card" {
  mac = "00:00:5e:00:53:01"
}

port "adapter" {
  pci        = "0000:02:00.0"
  cloned_mac = "00:00:5e:00:53:01" # ERROR: cloned-mac
}

port "first" {
  pci        = "0000:03:00.0"
  cloned_mac = "02:00:00:00:00:03"
}

port "second" {
  pci        = "0000:03:00.1"
  cloned_mac = "02:00:00:00:00:03" # ERROR: cloned-mac
}

# Those of the switch are found by their names, and one may have the address that the maker gave it.
port "lan1" {
  cloned_mac   = "00:00:5e:00:53:01"
  offloads_off = ["gro", "tso", "gro"] # ERROR: named-twice
}

port "lan2" {
  alias        = "two\nlines" # ERROR: bad-value
  offloads_off = ["checksum"] # ERROR: bad-value
}

port "lan3" {
  alias        = "" # ERROR: bad-value
  offloads_off = [] # WARNING: empty-list
}

port "own" {
  mac        = "00:00:5e:00:53:05"
  cloned_mac = "00:00:5e:00:53:05"
}

bridge "br0" {
  ports = [bond.bond0, port.card, port.adapter, port.first, port.second, port.lan1, port.own]
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}
