# NAT towards a network of the house: its hosts answer the router alone. It does not lead
# to the Internet by that, and is served.

router "bpi-r4" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"  # the firmware has to know; nbr verify checks it
  state_version = "26.05" # the release you install first, for ever
  time_zone     = "Europe/Berlin"
}

# The switch's ports as one network segment. The names come from the board:
# wan, lan1, lan2, lan3, and the SFP cages end1 and end2.
bridge "br-lan" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.178.1/24" # the router's own address and the network, in one
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

# Zones are what the firewall thinks in. What no zone and no policy allows is
# dropped.
zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"] # towards the router itself
}

network "iot" {
  link = port.lan3
  ipv4 = "192.168.179.1/24"
}

zone "iot" {
  networks = [network.iot]
  allow    = ["dns"]
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "iot" {
  from       = [zone.lan]
  to         = [zone.iot]
  action     = "accept"
  masquerade = true
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.178.100-192.168.178.199"]
}

resolver {
  networks = [network.lan, network.iot]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

# nix build and nix flake work on the router itself.
nix {
  flakes = true
}
