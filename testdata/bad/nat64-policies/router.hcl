# Ways through a translator that the policies for the hosts themselves do not let them take, and
# hosts of the Internet that may use it.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "guests" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/64"
}

nat64 "nat64" {
  prefix = "2001:db8:3:6464::/96"
}

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "2001:db8:3::1/64"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

zone "guests" {
  networks = [network.guests]
}

zone "nat64" {
  networks = [network.nat64]
  allow    = ["ssh"] # ERROR: nat64-around
}

policy "translated" {
  from   = [zone.lan, zone.guests, zone.wan] # ERROR: nat64-relay
  to     = [zone.nat64]
  action = "accept"
}

policy "print" {
  from   = [zone.guests]
  to     = [zone.lan]
  ports  = ["631"]
  action = "accept"
}

policy "from-nat64" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "inside" {
  from   = [zone.nat64]
  to     = [zone.lan] # ERROR: nat64-around
  action = "accept"
}

ssh {
  networks = [network.lan, network.nat64]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
