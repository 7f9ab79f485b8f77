# Options that clients cannot be told, and files that no host boots.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "lab" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan, network.lab]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network     = network.lan
  pool        = ["192.168.1.100-192.168.1.150"]
  dns         = ["192.168.1.53"]
  v6_only     = "2m"          # ERROR: bad-value
  next_server = "2001:db8::9" # ERROR: bad-value

  boot "a" {
    architectures = [7, 9]
    file          = "ipxe.efi"
  }
  boot "b" {
    architectures = [9] # ERROR: boot-twice
    file          = "other.efi"
  }
  option "ntp-servers" {
    value = ["pool.ntp.org"] # ERROR: bad-option
  }
  option "42" { # ERROR: bad-option
    value = ["192.168.1.1"]
  }
  option "ip-forwarding" {
    value = ["yes"] # ERROR: bad-option
  }
  option "default-ip-ttl" {
    value = ["256"] # ERROR: bad-option
  }
  option "swap-server" {
    value = ["192.168.1.1", "192.168.1.2"] # ERROR: bad-option
  }
  option "domain-search" {
    value = ["home arpa"] # ERROR: bad-option
  }
  option "domain-name-servers" { # ERROR: bad-option
    value = ["192.168.1.53"]
  }
  option "51" { # ERROR: bad-option
    hex = "00000e10"
  }
  option "252" {
    value = ["http://wpad"] # ERROR: bad-option
  }
  option "251" { # ERROR: bad-option
  }
  option "routers" {
    value = ["192.168.2.254"] # ERROR: server-not-there
  }
}

dhcp4 "lab" {
  network   = network.lab
  pool      = ["192.168.2.100-192.168.2.150"]
  dns       = ["192.168.1.53"]
  boot_file = "a file" # ERROR: bad-value

  boot "none" {
    architectures = [] # ERROR: empty-list
    file          = "a"
  }
  boot "large" {
    architectures = [65536] # ERROR: bad-value
    file          = "a"
  }
  option "ntp-server" { # ERROR: bad-value
    value = ["192.168.1.1"]
  }
  option "255" { # ERROR: bad-value
    hex = "00"
  }
  option "17" {
    value = ["a\\b"] # ERROR: bad-value
  }
  option "250" {
    hex = "0" # ERROR: bad-value
  }
}
