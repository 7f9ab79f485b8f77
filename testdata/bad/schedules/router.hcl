# Schedules that have no time, or are always, and more policies with one than there is room for.
router "r" {
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

schedule "none" {
  from = "22:00"
  to   = "22:00" # ERROR: schedule-window
}

schedule "late" {
  from = "24:00"
  to   = "06:00" # ERROR: schedule-window
}

schedule "always" { # ERROR: schedule-window
  from = "00:00"
  to   = "24:00"
}

schedule "text" {
  from = "8:00" # ERROR: bad-value
  to   = "17:60" # ERROR: bad-value
}

schedule "days" {
  days = ["mon", "tuesday"] # ERROR: bad-value
  from = "08:00"
  to   = "17:00"
}

schedule "night" {
  from = "22:00"
  to   = "06:00"
}

locals {
  ports = [for i in range(33) : 1000 + i]
}

policy "each" {
  for_each = { for p in local.ports : "p${p}" => p }
  from     = [zone.lan]
  to       = [zone.dmz]
  action   = "accept"
  ports    = [each.value]
  schedule = schedule.night # ERROR: too-many-scheduled
}

policy "none" {
  from     = [zone.dmz]
  to       = [zone.lan]
  action   = "accept"
  schedule = schedule.none
}

policy "late" {
  from     = [zone.dmz]
  to       = [zone.lan]
  action   = "accept"
  schedule = schedule.late
}

policy "always" {
  from     = [zone.dmz]
  to       = [zone.lan]
  action   = "accept"
  schedule = schedule.always
}
