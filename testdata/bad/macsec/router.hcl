# MACsec where there is no cable, twice on one, beside what is in clear, and below what does not stay.

router "house" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "barn" {
  path = "/var/lib/secrets/barn"
}

macsec "sec0" {
  link = port.wan
  ckn  = "6261726e"
  cak  = secret.barn
}

bridge "br-barn" {
  ports = [macsec.sec0]
}

network "barn" {
  link = bridge.br-barn
  ipv4 = "10.255.0.1/30"
}

network "clear" {
  link = port.wan # WARNING: macsec-clear
  ipv4 = "192.168.30.1/24"
}

vlan "clear" {
  link = port.wan # WARNING: macsec-clear
  id   = 7
}

macsec "again" {
  link = port.wan # ERROR: macsec-twice
  ckn  = "73686564"
  cak  = secret.barn
}

bridge "br-again" {
  ports = [macsec.again]
}

macsec "inner" {
  link = macsec.sec0 # ERROR: macsec-link
  ckn  = "73686564"
  cak  = secret.barn
}

macsec "joined" {
  link = port.lan1 # ERROR: macsec-link
  ckn  = "73686564"
  cak  = secret.barn
}

bridge "br-lan" {
  ports = [port.lan1]
}

macsec "bridged" {
  link = bridge.br-lan # ERROR: macsec-link
  ckn  = "73686564"
  cak  = secret.barn
}

macsec "direct" {
  link = port.lan2
  ckn  = "73686564"
  cak  = secret.barn
}

network "direct" {
  link = macsec.direct # ERROR: macsec-above
  ipv4 = "192.168.31.1/24"
}

vlan "over" {
  link = macsec.direct # ERROR: macsec-above
  id   = 8
}

macsec "idle" { # WARNING: macsec-idle
  link = port.lan3
  ckn  = "73686564"
  cak  = secret.barn
  mtu  = 1469 # ERROR: mtu-too-large
}

zone "all" {
  networks = [network.barn, network.clear, network.direct]
}
