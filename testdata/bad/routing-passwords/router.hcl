# Passwords of neighbours that stand in the spec, or come from another kind of block or from
# a source that there is not.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

zone "lan" {
  networks = [network.lan]
}

secret "vault" {
  source = "vault" # ERROR: bad-value
}

bgp {
  as        = 65001
  router_id = "10.1.0.1"

  neighbor "said" {
    address   = "10.1.0.2"
    remote_as = 65001
    password  = "correct horse" # ERROR: not-a-reference
  }

  neighbor "other" {
    address   = "10.1.0.3"
    remote_as = 65001
    password  = network.lan # ERROR: wrong-reference
  }

  neighbor "vault" {
    address   = "10.1.0.4"
    remote_as = 65001
    password  = secret.vault
  }
}

ospf {
  router_id = "10.1.0.1"

  area "0" {
    networks = [network.lan]
    password = zone.lan # ERROR: wrong-reference
  }
}
