# Numbers of tables, rules and weights that are none.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

network "wan" {
  link    = port.wan
  ipv4    = "192.0.2.2/24"
  gateway = "192.0.2.1"
}

zone "lan" {
  networks = [network.lan, network.wan]
}

rule "early" {
  priority = 13000 # ERROR: bad-value
  network  = network.lan
  table    = 20
}

rule "main" {
  priority = 20006
  network  = network.lan
  table    = 254 # ERROR: bad-value
}

rule "sort" {
  priority = 20007
  network  = network.lan
  type     = "nat" # ERROR: bad-value
}

route "weight" {
  to = "10.6.0.0/16"

  next_hop "a" {
    via = "10.1.0.8"
  }

  next_hop "b" {
    via    = "10.1.0.7"
    weight = 300 # ERROR: bad-value
  }
}
