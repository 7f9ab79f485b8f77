# A bad zone. That its network is in no zone is not told, nor is anything of its policies.

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

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan, network.lam] # ERROR: no-such-reference
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "acept" # ERROR: bad-value
  masquerade = true
}

policy "later" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "drop"
}
