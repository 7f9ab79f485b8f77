# What the agent serves tells much of a router.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

agent {
  networks = [network.wan] # ERROR: open-metrics
}
