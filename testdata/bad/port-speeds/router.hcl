# Speeds, rings and interrupts that ports cannot have.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

port "lan1" {
  speed = 2500 # ERROR: port-speed
}

port "lan2" {
  autoneg = false # ERROR: port-speed
  speed   = 1000
}

# Of 100 Mbit/s it can be said.
port "lan3" {
  autoneg = false
  speed   = 100
}

port "end1" {
  autoneg = false # ERROR: port-speed
}

port "end2" {
  speed     = 1200   # ERROR: bad-value
  rx_ring   = 0      # ERROR: bad-value
  rx_usecs  = 100001 # ERROR: bad-value
  tx_frames = 65537  # ERROR: bad-value
}

port "card" {
  pci             = "0000:01:00.0"
  tx_queue_length = 0 # ERROR: bad-value
}

port "other" {
  pci         = "0000:02:00.0"
  adaptive_rx = true
  adaptive_tx = true
  rx_usecs    = 50 # ERROR: coalesce-adaptive
  rx_frames   = 8  # ERROR: coalesce-adaptive
  tx_usecs    = 50 # ERROR: coalesce-adaptive
  tx_frames   = 8  # ERROR: coalesce-adaptive
}

bridge "br0" {
  alias = "" # ERROR: bad-value
  ports = [port.lan1, port.lan2, port.lan3, port.other]
}
