# Routes that are told and are not there.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}

zone "all" {
  networks = [network.core]
}

route "dmz" {
  to  = "203.0.113.0/24"
  via = "10.255.0.9"
}

prefix_list "inner" {
  permit = ["10.0.0.0/8 le 24"]
}

ospf {
  router_id = "10.255.0.1"

  redistribute "static" { # ERROR: redistributes-nothing
    prefixes = prefix_list.inner
  }

  redistribute "bgp" { # ERROR: redistributes-nothing
    prefixes = prefix_list.inner
  }

  redistribute "ospf" { # ERROR: redistributes-itself
    prefixes = prefix_list.inner
  }

  redistribute "rip" {
    prefixes = prefix_list.inner
  }

  area "0" {
    networks = [network.core]
  }
}

rip {
  networks = [network.core]

  redistribute "ospf" {
    prefixes = prefix_list.inner
    metric   = 16 # ERROR: bad-value
  }
}
