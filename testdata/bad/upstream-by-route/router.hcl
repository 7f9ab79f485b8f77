# A default route makes its network an upstream, where nothing of the router is served.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "203.0.113.2/30"
}

route "default" {
  to  = "0.0.0.0/0"
  via = "203.0.113.1"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns"]
}

resolver {
  networks = [network.wan] # ERROR: open-resolver
}
