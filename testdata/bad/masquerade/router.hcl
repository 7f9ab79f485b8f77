# Masquerading that does nothing.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

network "six" {
  link = port.lan2
  ipv6 = "fd00::1/64"
}

zone "six" {
  networks = [network.six]
}

policy "a" {
  from       = [zone.lan]
  to         = [zone.six]
  action     = "accept"
  masquerade = true # ERROR: masquerade-without-upstream
}

policy "b" {
  from       = [zone.six]
  to         = [zone.lan]
  action     = "drop"
  masquerade = true # ERROR: masquerade-without-upstream
}
