# Zones that contradict themselves, each other, the resolver or the hosts.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  domain = "home.arpa"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

host "old" {
  network = network.lan
  ipv4    = "192.168.1.11"
  aliases = ["lab"]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns"]
}

resolver {
  networks = [network.lan]
  records  = ["tv.home.arpa A 192.168.1.12"] # ERROR: zone-clash

  forwarder "office" {
    zones   = ["home.arpa"] # ERROR: zone-clash
    servers = ["192.0.2.53"]
    dnssec  = false
  }
}

dns_zone "home" {
  domain = "home.arpa"
  records = [
    "nas.home.arpa A 192.168.1.20", # ERROR: record-clash
    "www.home.arpa CNAME nas.home.arpa",
    "www.home.arpa TXT \"x\"",           # ERROR: record-clash
    "nas.home.arpa CNAME www.home.arpa", # ERROR: record-clash
    "home.arpa CNAME www.home.arpa",     # ERROR: record-clash
    "home.arpa NS ns.home.arpa",         # ERROR: record-clash
    "mx.home.arpa A 192.168.1.13",
    "MX.home.arpa 3600 A 192.168.1.13", # ERROR: record-clash
    "two.home.arpa 60 A 192.168.1.14",
    "two.home.arpa 90 A 192.168.1.15",                                                             # ERROR: record-clash
    "www.example.org A 192.168.1.16",                                                              # ERROR: record-outside-zone
    "printer A 192.168.1.17",                                                                      # ERROR: record-outside-zone
    "kids.home.arpa NS ns.kids.home.arpa",                                                         # ERROR: no-glue
    "tv.kids.home.arpa TXT \"below\"",                                                             # ERROR: record-clash
    "guests.home.arpa DS 1 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE49FD46E6C4B45C55D4AC69CB", # ERROR: no-delegation
  ]
}

dns_zone "again" {
  domain = "Home.arpa." # ERROR: zone-clash
}

dns_zone "lab" {
  domain       = "lab.home.arpa"      # ERROR: no-delegation
  name_servers = ["ns.lab.home.arpa"] # ERROR: no-glue
}

dns_zone "nameless" {} # ERROR: zone-without-name

dns_zone "both" {
  domain  = "a.example"
  reverse = "10.0.0.0/8" # ERROR: zone-without-name
}

dns_zone "nowhere" { # ERROR: no-zone-server
  domain = "example.com"

  dnssec {
    ksk_lifetime = "365d" # ERROR: rollover-without-parents
  }
}

dns_zone "elsewhere" {
  domain       = "example.net"
  name_servers = ["ns.example.org"]
  public       = true # ERROR: zone-not-public

  dnssec {
    parents = ["192.168.1.1"] # ERROR: asks-itself
  }
}
