# One router, one folder: nbr reads every *.hcl file here, by name, and only for policies does
# the order count: the first that fits decides. "nbr schema -doc" explains every attribute.

router "bpi-r4" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"  # the firmware has to know; nbr verify checks it
  state_version = "26.05" # the release you install first, for ever
  time_zone     = "Europe/Berlin"
}

# The switch's ports as one network segment. The names come from the board:
# wan, lan1, lan2, lan3, and the SFP cages end1 and end2.
bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.73.1/24" # the router's own address and the network, in one
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

# Zones are what the firewall thinks in. What no zone and no policy allows is
# dropped.
zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"] # towards the router itself
}

zone "vpn" {
  networks = [network.vpn]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"] # so that the laptop of the tunnel below gets in
}

policy "internet" {
  from       = [zone.lan, zone.vpn]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true # IPv4 NAT
}

policy "home" {
  from   = [zone.vpn]
  to     = [zone.lan]
  action = "accept"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.73.100-192.168.73.199"]

  reservation "nas" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.73.10"
  }
}

# Validates DNSSEC, and answers these networks only.
resolver {
  networks = [network.lan]
}

# A secret is a path on the router, never a value: the spec and the Nix store are
# readable by everyone. Make the key there: umask 077; wg genkey >/var/lib/secrets/wg0
secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

# The way home for a laptop. It is told the router's public key, which "wg pubkey" makes of
# the private one, Address = 10.8.0.2/24 and AllowedIPs = 0.0.0.0/0.
wireguard "wg0" {
  listen      = 51820 # where it connects to; zone.wan lets it in
  private_key = secret.wg0

  peer "laptop" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
  }
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

# nix build and nix flake work on the router itself.
nix {
  flakes = true
}
