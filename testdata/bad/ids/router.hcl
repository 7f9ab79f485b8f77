# What an intrusion prevention system cannot inspect, what is blocked twice, and rules that Suricata does not load.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "never" {
  from   = [zone.wan]
  to     = [zone.lan]
  action = "drop"
}

policy "own" {
  from   = [router.r]
  to     = [zone.wan]
  action = "drop"
}

ids {
  inspect = [
    policy.internet,
    policy.never, # ERROR: ids-not-forwarded
    policy.own,   # ERROR: ids-not-forwarded
  ]
  fail  = "open"
  rules = ["local.rules", "comments.rules", "missing.rules"] # ERROR: ids-no-rules no-such-file

  block "nothing" {} # ERROR: ids-block-empty

  block "ads" {
    sni = ["ads.example.com", "Example.com"] # ERROR: ids-blocked-twice
    app = ["smb"]
  }

  block "more" {
    sni = ["example.com"] # ERROR: ids-blocked-twice
    dns = ["example.com"]
    app = ["smb"] # ERROR: ids-blocked-twice
  }
}
