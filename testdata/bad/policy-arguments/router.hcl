# Limits, versions of IP and addresses of NAT that policies cannot have.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd12:3456:789a:1::1/64"
}

network "wan" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

host "printer" {
  network = network.lan
  ipv6    = "::9"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

policy "dropped" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "drop"
  ports  = [25]
  limit  = "10/minute" # ERROR: limit-of-nothing
}

policy "rates" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
  ports  = [26]
  limit  = "10/min" # ERROR: bad-value
}

policy "many" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
  ports  = [27]
  limit  = "0/hour" # ERROR: bad-value
}

policy "version" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
  ports  = [28]
  family = "IPv6" # ERROR: bad-value
}

policy "none" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
  ports  = [29]
  family = "ipv6" # ERROR: no-common-family
}

policy "host" {
  from   = [host.printer]
  to     = [zone.lan]
  action = "accept"
  family = "ipv4" # ERROR: no-common-family
}

service "trace" {
  ports = ["icmpv6/128"]
}

policy "services" {
  from     = [zone.lan]
  to       = [zone.wan]
  action   = "drop"
  family   = "ipv4" # ERROR: no-common-family
  services = ["trace"]
}

policy "both" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  ports      = [30]
  masquerade = true
  source_nat = "198.51.100.2" # ERROR: source-nat-address
}

policy "neighbour" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  ports      = [31]
  source_nat = "198.51.100.9" # ERROR: source-nat-address
}

policy "six" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  ports      = [32]
  source_nat = "2001:db8::1" # ERROR: source-nat-address
}

policy "local" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  ports      = [33]
  source_nat = "169.254.0.9" # ERROR: source-nat-address
}

policy "closed" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "reject"
  ports      = [34]
  source_nat = "198.51.100.2" # ERROR: masquerade-without-upstream
}
