# What ports are told beyond their link: a provider that knows one MAC address, a line that is lost
# with Energy-Efficient Ethernet, a card whose driver hangs when it divides packets by itself.

router "settings" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

# One of the board's own ports, by its name.
port "wan" {
  alias      = "Glasfaser, Dose 7"
  cloned_mac = "02:00:00:00:00:07" # of the router that was there before
  eee        = false

  tx_queue_length = 500
}

# A card in a slot, with what keeps bursts and what is late.
port "card" {
  pci          = "0000:01:00.0"
  speed        = 1000
  rx_ring      = 4096
  tx_ring      = 512
  rx_usecs     = 50
  rx_frames    = 64
  adaptive_tx  = true
  alias        = "Schrank 2, Platz 12"
  offloads_off = ["tso", "gso"]
}

bridge "br-lan" {
  alias = "home"
  ports = [port.lan1, port.lan2, port.card]
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

# The other end is a converter that does not negotiate.
port "converter" {
  pci         = "0000:02:00.0"
  speed       = 100
  autoneg     = false
  adaptive_rx = false
  tx_usecs    = 20
  tx_frames   = 8
}

network "fibre" {
  link = port.converter
  ipv4 = "192.168.2.1/24"
}

zone "fibre" {
  networks = [network.fibre]
}
