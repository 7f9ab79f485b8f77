# Rules for no packet, tables with one end only, and several next hops that contradict themselves.

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

host "phone" {
  network = network.lan
  mac     = "02:00:00:00:00:09"
}

rule "nothing" { # ERROR: routing-rule
  priority = 20000
  from     = "10.1.0.0/25"
}

rule "both" {
  priority = 20001
  from     = "10.1.0.0/25"
  table    = 20
  type     = "blackhole" # ERROR: routing-rule
}

rule "all" { # ERROR: routing-rule
  priority = 20002
  table    = 20
}

rule "families" {
  priority = 20003
  from     = "10.1.0.0/25" # ERROR: routing-rule
  to       = "2001:db8::/32"
  table    = 20
}

rule "host" {
  priority = 20004
  from     = host.phone # ERROR: routing-rule
  table    = 20
}

rule "two" {
  priority = 20006
  from     = "10.1.0.0/25"
  network  = network.lan # ERROR: routing-rule
  table    = 20
}

rule "again" {
  priority = 20004 # ERROR: routing-rule
  network  = network.lan
  table    = 20
}

rule "empty" {
  priority = 20005
  network  = network.lan
  table    = 21 # ERROR: routing-table
}

route "default" {
  to    = "0.0.0.0/0"
  via   = "10.1.0.9"
  table = 20
}

route "twice" {
  to    = "0.0.0.0/0" # ERROR: route-twice
  via   = "10.1.0.8"
  table = 20
}

route "unused" {
  to    = "0.0.0.0/0"
  via   = "10.1.0.8"
  table = 22 # WARNING: routing-table
}

route "one" {
  to = "10.2.0.0/16"

  next_hop "a" { # ERROR: route-next-hop
    via = "10.1.0.9"
  }
}

route "beside" {
  to  = "10.3.0.0/16"
  via = "10.1.0.9" # ERROR: route-next-hop

  next_hop "a" {
    via = "10.1.0.8"
  }

  next_hop "b" {
    via = "10.1.0.7"
  }
}

route "same" {
  to = "10.4.0.0/16"

  next_hop "a" {
    via = "10.1.0.8"
  }

  next_hop "b" {
    via = "10.1.0.8" # ERROR: route-next-hop
  }
}

route "drop" {
  to   = "10.5.0.0/16"
  type = "blackhole"

  next_hop "a" { # ERROR: route-next-hop
    via = "10.1.0.8"
  }

  next_hop "b" {
    via = "10.1.0.7"
  }
}

route "outside" {
  to = "10.6.0.0/16"

  next_hop "a" {
    via = "10.7.0.8" # ERROR: next-hop-outside
  }

  next_hop "b" {
    via = "2001:db8::7" # ERROR: next-hop-outside
  }
}
