# RIP beside BGP and OSPF, with networks and secrets to choose from.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

secret "site" {
  path = "/var/lib/secrets/site"
}

secret "peer" {
  path = "/var/lib/secrets/peer"
}

network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

network "things" {
  link = port.lan3
  ipv4 = "10.3.0.1/24"
}

zone "all" {
  networks = [network.core, network.lan, network.things]
}

bgp {
  as        = 65001
  router_id = "10.255.0.1"

  neighbor "other" {
    address   = "10.255.0.2"
    remote_as = 65001
    password  = secret.peer
  }
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
    password = secret.site
  }
}

rip {
  networks = [network.core]
  passive  = [network.lan]
  password = secret.site
}
