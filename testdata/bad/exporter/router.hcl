# Exporters of what the router does not run, on an upstream, and in one network too many.

router "gate" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.0.2.53"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "all" {
  networks = [network.wan, network.lan, network.guests]
  allow    = ["metrics"]
}

dns_zone "lab" {
  domain       = "lab.example.org"
  name_servers = ["ns.lab.example.org"]
  records      = ["ns.lab.example.org A 192.168.1.1"]
}

exporter "node" {
  networks = [
    network.lan,
    network.wan, # ERROR: open-metrics
  ]
}

exporter "frr" { # ERROR: exporter-of-nothing
  networks = [network.guests]
}

exporter "knot" {
  networks = [
    network.lan,
    network.guests, # ERROR: exporter-one-network
  ]
}
