# A schedule of a router that is nowhere.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "dmz" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan]
}

zone "dmz" {
  networks = [network.dmz]
}

schedule "night" {
  from = "22:00" # WARNING: schedule-in-utc
  to   = "06:00"
}

policy "night" {
  from     = [zone.lan]
  to       = [zone.dmz]
  action   = "accept"
  schedule = schedule.night
}
