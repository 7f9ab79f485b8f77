# Commands for a shell that is not there, and those that tell nothing.
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

zone "lan" {
  networks = [network.lan]
}

check "one" {
  command = ["ping -c 1 192.0.2.1"] # ERROR: no-shell
}

check "pipe" {
  command = ["ip", "route", "|", "grep", "default"] # ERROR: no-shell
}

check "true" {
  command = ["true"] # WARNING: never-fails
}

check "or" {
  command = ["sh", "-c", "ping -c 1 192.0.2.1 || true"] # WARNING: never-fails
}
