# Policies about what the router itself sends that keep in what it has to send, or nothing.
router "home" {
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

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

time {
  servers = ["192.0.2.123"]
}

policy "names" {
  from     = [router.home]
  to       = [zone.wan]
  action   = "accept"
  services = ["dns"]
}

policy "nat" {
  from       = [router.home]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true # ERROR: policy-to-router
  services   = ["https"]
}

policy "rest" {
  from   = [router.home]
  to     = [zone.wan]
  action = "drop" # ERROR: own-service-closed
}

policy "inside" {
  from     = [router.home]
  to       = [zone.lan]
  action   = "accept" # ERROR: own-policy-idle
  services = ["ssh"]
}

policy "in" {
  from   = [zone.lan]
  to     = [router.home] # ERROR: policy-to-router
  action = "accept"
}
