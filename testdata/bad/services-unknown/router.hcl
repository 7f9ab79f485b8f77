# A policy about services that are none.
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

network "other" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan]
}

zone "other" {
  networks = [network.other]
}

service "homeassistant" {
  ports = ["tcp/8123"]
}

service "tunnel" { # WARNING: service-unused
  ports = ["gre"]
}

policy "unknown" {
  from     = [zone.lan]
  to       = [zone.other]
  action   = "accept"
  services = ["https", "imapss", "homeassistent", "homeassistant"] # ERROR: no-such-service no-such-service
}
