router "attic" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
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
  allow    = ["metrics"]
}

firewall {}

agent {
  interval = "30s"
  networks = [network.lan]
}

exporter "node" {
  networks = [network.lan]
}

# Prometheus takes labels and annotations for templates, where "{{" begins an action.
check "disk" {
  command = ["test", "-n", "{{ . }}"]
}
