# Policies that decide about no packet, and ports that are looked at by none.
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

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "six" {
  link = port.lan2
  ipv6 = "fd12:3456:789a:2::1/64"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

zone "six" {
  networks = [network.six]
}

policy "icmp" {
  from      = [zone.lan]
  to        = [zone.six]
  action    = "accept"
  protocols = ["tcp", "icmp"] # ERROR: ports-of-icmp
  ports     = [80]
}

policy "covers" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
  ports  = [80, "70-90"]
}

policy "covered" { # ERROR: unreachable-policy
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "drop"
  protocols = ["udp"]
  ports     = ["75-85"]
}

policy "itself" {
  from   = [zone.lan]
  to     = [zone.lan] # WARNING: policy-to-itself
  action = "accept"
}

policy "six" {
  from       = [zone.six]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true # WARNING: nat-of-nothing
}

port_forward "six" {
  from = zone.six # WARNING: nat-of-nothing
  port = 80
  to   = "192.168.1.2"
}
