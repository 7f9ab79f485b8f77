# LLDP on no port.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

lldp {} # ERROR: lldp-nowhere
