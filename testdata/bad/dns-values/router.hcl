# Values of a resolver that are none.
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
  allow    = ["dns"]
}

resolver {
  networks = [network.lan]
  forward  = ["192.0.2.1#192.0.2.1", "192.0.2.1@0", "dns.example.org", "192.0.2.1#"] # ERROR: bad-value bad-value bad-value bad-value

  records = [
    "*.example.org A 192.168.1.12",    # ERROR: bad-value
    "example.org SOA a. b. 1 2 3 4 5", # ERROR: bad-value
    "www.example.org A 192.168.1.300", # ERROR: bad-value
    "www.example.org CH TXT \"a\"",    # ERROR: bad-value
    "a. A 192.0.2.1\nb. A 192.0.2.1",  # ERROR: bad-value
    ". TXT \"a\"",                     # ERROR: bad-value
    "",                                # ERROR: bad-value
    "$INCLUDE /etc/passwd",            # ERROR: bad-value
  ]

  blocklist "Ads" {    # ERROR: bad-value
    inputs = ["hosts"] # ERROR: bad-value
  }

  blocklist "ads" {
    inputs = ["../hosts", "a/../../hosts"] # ERROR: bad-value bad-value
  }

  dns64 {
    prefix = "2001:db8::/64" # ERROR: bad-value
  }
}
