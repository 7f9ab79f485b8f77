# Networks on PPP sessions with addresses of another sort, and the other way round.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "dsl" {
  path = "/var/lib/secrets/dsl"
}

secret "cable" {
  path = "/var/lib/secrets/cable"
}

secret "idle" {
  path = "/var/lib/secrets/idle"
}

pppoe "ppp0" {
  link     = port.wan
  user     = "anna"
  password = secret.dsl
}

pppoe "ppp1" {
  link     = port.lan3
  user     = "anna"
  password = secret.cable
}

pppoe "ppp2" { # ERROR: ppp-address
  link     = port.lan2
  user     = "bert"
  password = secret.idle
}

network "fixed" {
  link     = pppoe.ppp0
  ipv4     = "198.51.100.2/30"   # ERROR: ppp-address
  ipv6     = "2001:db8::2/64"    # ERROR: ppp-address
  gateway6 = "fe80::1"           # ERROR: ppp-address
}

network "leased" {
  link = pppoe.ppp1
  ipv4 = "dhcp" # ERROR: ppp-address
}

network "lan" {
  link = port.lan1
  ipv4 = "ppp" # ERROR: ppp-address
}

route "far" {
  to      = "2001:db8:9::/48"
  via     = "fe80::2"
  network = network.fixed # ERROR: ppp-address
}

zone "all" {
  networks = [network.fixed, network.leased, network.lan]
}
