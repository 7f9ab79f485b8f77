# Services by name: names that are taken or unknown, ports that are none.
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
  allow    = ["ssh", "metrics", "recorder", "clash"]
}

zone "other" {
  networks = [network.other]
}

ssh {
  networks = [network.lan]
}

agent {
  networks = [network.lan]
}

service "recorder" {
  ports = ["tcp/5000", "udp/5000-5010", "udp/5005-5020"] # ERROR: ports-twice
}

service "https" { # ERROR: service-name-taken
  ports = ["tcp/8443"]
}

service "metrics" { # ERROR: service-name-taken
  ports = ["tcp/9000"]
}

service "clash" {
  ports = ["tcp/22"] # ERROR: listen-clash
}

service "nothing" {
  ports = [] # ERROR: empty-list
}

service "bare" {
  ports = [8123, "8123/tcp", "tcp", "sctp/0", "quic/443", "gre/1", "icmp/256", "tcp/9-8", "tcp/70000"] # ERROR: bad-value bad-value bad-value bad-value bad-value bad-value bad-value bad-value bad-value
}

service "twice" {
  ports = ["tcp/1", "udp/1", "tcp/1"] # ERROR: named-twice
}

policy "unknown" {
  from     = [zone.lan]
  to       = [zone.other]
  action   = "accept"
  services = ["https", "imapss", "recorder"]
}

policy "both" {
  from      = [zone.lan]
  to        = [zone.other]
  action    = "accept"
  services  = ["smtp"] # ERROR: services-and-ports
  protocols = ["tcp"]
  ports     = [465]
}

policy "covered" { # ERROR: unreachable-policy
  from     = [zone.lan]
  to       = [zone.other]
  action   = "drop"
  services = ["smtp", "https"]
}
