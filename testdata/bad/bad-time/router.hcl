# Time servers.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

time {
  servers = ["time server", "192.0.2.1", "ntp.example.org"] # ERROR: bad-value
}
