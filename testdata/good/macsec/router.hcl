router "house" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["10.255.0.2"]
}

# The cable to the barn lies where anyone can get at it.

secret "barn" {
  path = "/var/lib/secrets/barn"
}

macsec "sec0" {
  link          = port.wan
  ckn           = "6261726e"
  cak           = secret.barn
  priority      = 16
  replay_window = 32
  alias         = "to the barn"
}

bridge "br-barn" {
  ports = [macsec.sec0]
}

network "barn" {
  link = bridge.br-barn
  ipv4 = "10.255.0.1/30"
  ipv6 = "fd5c:8a1e:7b40:60::1/64"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.20.1/24"
}

route "barn" {
  to  = "192.168.10.0/24"
  via = "10.255.0.2"
}

zone "barn" {
  networks = [network.barn]
  allow    = ["ping"]
}

zone "lan" {
  networks = [network.lan]
}

policy "sites" {
  from   = [zone.lan, zone.barn]
  to     = [zone.barn, zone.lan]
  action = "accept"
}
