# A fixed address from the provider, and no name server.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" { # ERROR: no-name-servers
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

zone "wan" {
  networks = [network.wan]
}
