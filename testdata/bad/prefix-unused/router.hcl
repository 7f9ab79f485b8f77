# A client that is not told where to put a prefix would put it on every link.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2620:fe::fe"]
}

network "wan" {
  link = port.wan
  ipv6 = "auto"
}

prefix "isp" { # ERROR: prefix-unused
  network = network.wan
  length  = 56
}

zone "wan" {
  networks = [network.wan]
}
