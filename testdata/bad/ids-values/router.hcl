# Values that Suricata and its log do not take, and addresses that come later.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
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

network "office" {
  link = port.lan2
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan, network.office]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ids {
  inspect  = [policy.internet] # ERROR: ids-fail
  threads  = 17                # ERROR: bad-value
  home     = [network.office]  # ERROR: ids-no-home
  log_size = "8MiB"            # ERROR: bad-value
  log_keep = 0                 # ERROR: bad-value

  block "ads" {
    sni = ["ads.example.com"]
  }
}
