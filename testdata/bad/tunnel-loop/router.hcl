# A tunnel whose packets are to pass through itself.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

zone "loop" {
  networks = [network.loop]
}

ip6tnl "loop" { # ERROR: link-loop
  network = network.loop
  remote  = "fd00:2::9"
}

network "loop" {
  link = ip6tnl.loop
  ipv6 = "fd00:2::1/64"
}
