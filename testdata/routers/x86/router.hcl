# A PC as the router of a home: the Internet at one port, the house at two others, and at the
# fourth an access point that carries the house without a tag and the guests in VLAN 20.
# docs/pc.md is about it. Without the PC, try it in a VM:
#
#   nbr gen -o out testdata/routers/x86 && cd out && nix run .#vm-attic

router "attic" {
  board         = "pc-x86_64"
  memory        = "8GiB"  # nbr verify looks whether all of it is there
  state_version = "24.11" # this PC was installed with NixOS long before nbr
  time_zone     = "Europe/Berlin"
}

# A PC has what ports it has. The one of the provider is known by its MAC address, in
# whichever slot the card is.
port "wan" {
  mac = "00:00:5e:00:53:01"
}

# Those of the card for the house are known by where they are (lspci -D), so that another
# card of the kind needs no change here.
port "lan1" {
  pci = "0000:02:00.0"
}

port "lan2" {
  pci = "0000:02:00.1"
}

# The one on the mainboard has the name that Linux gives it.
port "eno1" {}

bridge "br0" {
  vlans "house" {
    ports    = [port.lan1, port.lan2]
    untagged = [10]
  }

  vlans "access-point" {
    ports    = [port.eno1]
    untagged = [10]
    tagged   = [20]
  }
}

vlan "house" {
  link = bridge.br0
  id   = 10
}

vlan "guests" {
  link = bridge.br0
  id   = 20
}

network "lan" {
  link   = vlan.house
  ipv4   = "192.168.10.1/24"
  domain = "home.arpa"
}

network "guests" {
  link = vlan.guests
  ipv4 = "192.168.20.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"]
}

# Guests ask the router for addresses and names, and it answers nothing else.
zone "guests" {
  networks = [network.guests]
  allow    = ["dns", "dhcp"]
}

zone "wan" {
  networks = [network.wan]
}

# From the house and from the guests to the Internet, and nowhere else: what no policy
# allows is dropped, so guests do not get into the house.
policy "internet" {
  from       = [zone.lan, zone.guests]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.10.100-192.168.10.199"]
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.20.100-192.168.20.199"]
}

resolver {
  networks = [network.lan, network.guests]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
