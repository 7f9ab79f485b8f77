# What the router itself may send: towards the Internet names, time and updates, towards guests nothing.
router "home" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

host "backup" {
  network = network.lan
  ipv4    = "192.168.1.9"
}

address_set "time" {
  addresses = ["192.0.2.123", "2001:db8::123"]
}

zone "lan" {
  networks = [network.lan]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dhcp"]
}

zone "wan" {
  networks = [network.wan]
}

schedule "night" {
  from = "01:00"
  to   = "05:00"
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.2.50-192.168.2.99"]
  dns     = ["9.9.9.9"]
}

time {
  servers = ["192.0.2.123", "2001:db8::123"]
}

policy "out" {
  from     = [router.home, zone.lan]
  to       = [zone.wan]
  action   = "accept"
  services = ["dns", "https", "ping"]
}

policy "time" {
  from     = [router.home]
  to       = [address_set.time]
  action   = "accept"
  services = ["ntp"]
}

policy "backup" {
  from     = [router.home]
  to       = [host.backup]
  action   = "accept"
  services = ["ssh"]
  schedule = schedule.night
}

policy "own" {
  from   = [router.home]
  to     = [zone.wan, zone.lan]
  action = "reject"
  log    = true
}

policy "guests" {
  from   = [router.home]
  to     = [zone.guests]
  action = "drop"
}
