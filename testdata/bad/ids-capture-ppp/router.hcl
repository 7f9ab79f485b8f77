# Copies of the packets of a link that is there at times.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "dsl" {
  path = "/var/lib/secrets/dsl"
}

pppoe "ppp0" {
  link     = port.wan
  user     = "anna"
  password = secret.dsl
}

network "wan" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ids {
  capture = [network.lan, network.wan] # ERROR: ids-capture-ppp
  rules   = ["local.rules"]
}
