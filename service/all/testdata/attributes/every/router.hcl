# Attributes that no spec of a service sets, or only in ways that bring no warning.
router "attributes" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  release       = "26.05"
  state_version = "25.11"
  time_zone     = "Europe/Berlin"
  description   = "Every attribute once"
}

bridge "inside" {
  name  = "br-inside"
  ports = [port.lan1, port.lan2]
  stp   = true
  mac   = "02:00:00:00:00:01"
  mtu   = 1400
}

link "wwan0" {
  mtu = 1428
}

vlan "iot" {
  name = "iot0"
  link = port.lan3
  id   = 30
  mtu  = 1480
}

network "lan" {
  link   = bridge.inside
  ipv4   = "192.168.1.1/24"
  ipv6   = "2001:db8:2::1/64"
  domain = "home.arpa"
}

network "iot" {
  link = vlan.iot
  ipv4 = "192.168.30.1/24"
}

network "guest" {
  link = port.end1
  ipv4 = "192.168.40.1/24"
}

network "wan" {
  link     = port.wan
  ipv4     = "203.0.113.7/24"
  gateway  = "203.0.113.4"
  ipv6     = "2001:db8:1::7/64"
  gateway6 = "2001:db8:1::4"
}

network "mobile" {
  link = link.wwan0
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan, network.iot, network.guest]
  allow    = ["ssh", "dns", "dhcp", "ntp", "metrics"]
}

zone "wan" {
  networks = [network.wan, network.mobile]
  allow    = ["wireguard"]
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

secret "psk" {
  path = "/var/lib/secrets/psk"
}

secret "spare" {
  path = "/var/lib/secrets/spare"
}

# Which other attributes a secret has depends on the source.
locals {
  source = "sops"
}

secret "moved" {
  source = local.source
  path   = local.source == "file" ? "/var/lib/secrets/moved" : null
  file   = local.source == "sops" ? "moved.yaml" : local.source == "agenix" ? "moved.age" : null
}

input "sops-nix" {
  url = "github:Mic92/sops-nix"
}

input "agenix" {
  url = "github:ryantm/agenix"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0
  mtu         = 1380

  peer "laptop" {
    public_key    = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    preshared_key = secret.psk
    allowed_ips   = ["10.8.0.2/32"]
    endpoint      = "laptop.example.org:51820"
    keepalive     = 25
  }
}

firewall {
  ping_hosts = false
}

ssh {
  networks  = [network.lan]
  port      = 2222
  passwords = true
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

user "guest" {
  hashed_password = "$6$abc$def"
}

resolver {
  networks             = [network.lan]
  workers              = 3
  rebinding_protection = true
  private_domains      = ["corp.example.org"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["${cidrhost(network.lan.ipv4, 100)}-${cidrhost(network.lan.ipv4, 150)}"]
}

time {
  servers  = ["time.example.org"]
  nts      = true
  networks = [network.lan]
}

agent {
  interval = "30s"
  networks = [network.lan]
  port     = 9843
  names    = ["metrics.example.org"]
  passive  = false
}

firmware {
  kernel         = "vendor"
  kernel_options = ["NET_SCH_CAKE", "DUMMY"]
  card           = "32GiB"
  binary_cache   = true
  clock_battery  = true
  watchdog       = true

  kernel_source {
    version = "6.12.63-bpi-r4"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    repo    = "example/BPI-Router-Linux"
    date    = "2026-10-20"
  }

  atf_source {
    version = "2.14.0"
    rev     = "e06f258664198a901ff1c7c0c87802a115179451"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    date    = "2026-10-20"
  }

  uboot_source {
    version = "2025.04"
    hash    = "sha256-Q5077ylu/9VBML5qcxxbEYvn/d1/zGY8y8X7GClNhxg="
    date    = "2026-10-20"
  }
}
