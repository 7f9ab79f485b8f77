# One of two sites that are one network: hamburg. Its other end is in ../site-berlin, and what
# both have to agree on in sites.hcl. Both become one flake:
#
#	nbr gen -o out testdata/routers/site-berlin testdata/routers/site-hamburg

router "hamburg" {
  board         = "bananapi-bpir3"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3]
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "${cidrhost(local.hamburg.lan, 1)}/24"
  ipv6   = "${cidrhost(local.hamburg.lan6, 1)}/64"
  domain = "hamburg.home.arpa"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp" # another address each day, which the name of the endpoint follows
}

# The tunnel between the sites. Each end has a name for the other one: the kernel knows
# addresses only, so the name is resolved again when nothing has been heard from there.
wireguard "sites" {
  listen      = 51820
  private_key = secret.sites
  public_key  = local.hamburg.key # nbr verify compares it with the tunnel's own
  endpoint    = local.hamburg.endpoint

  peer "berlin" {
    public_key    = local.berlin.key
    preshared_key = secret.shared
    endpoint      = local.berlin.endpoint
    keepalive     = 25 # both keep the way through NAT open, and are missed when they are silent

    # The other router's own addresses in the tunnel, and the networks behind it, which become
    # routes.
    allowed_ips = [
      "${cidrhost(local.sites, 1)}/32", "${cidrhost(local.sites6, 1)}/128",
      local.berlin.lan, local.berlin.lan6,
      local.berlin.people, local.berlin.people6,
    ]
  }
}

network "sites" {
  link = wireguard.sites
  ipv4 = "${cidrhost(local.sites, 2)}/24"
  ipv6 = "${cidrhost(local.sites6, 2)}/64"
}

# Both files are made on the routers and are in no spec: umask 077; wg genkey >FILE on each, and
# wg genpsk >FILE on one of them, which the other one gets a copy of.
secret "sites" {
  path = "/var/lib/secrets/sites"
}

secret "shared" {
  path = "/var/lib/secrets/shared"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "ping"]
}

zone "sites" {
  networks = [network.sites]
  allow    = ["ping"]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "sites" {
  from   = [zone.lan]
  to     = [zone.sites]
  action = "accept"
}

policy "inside" {
  from   = [zone.sites]
  to     = [zone.lan]
  action = "accept"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.20.100-192.168.20.199"]
}

router_advert "lan" {
  network = network.lan
}

resolver {
  networks = [network.lan]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
