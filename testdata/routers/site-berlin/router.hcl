# One of two sites that are one network: berlin. Its other end is in ../site-hamburg, and what
# both have to agree on in sites.hcl. Both become one flake:
#
#	nbr gen -o out testdata/routers/site-berlin testdata/routers/site-hamburg

router "berlin" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3]
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "${cidrhost(local.berlin.lan, 1)}/24"
  ipv6   = "${cidrhost(local.berlin.lan6, 1)}/64"
  domain = "berlin.home.arpa"
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
  public_key  = local.berlin.key # nbr verify compares it with the tunnel's own
  endpoint    = local.berlin.endpoint

  peer "hamburg" {
    public_key    = local.hamburg.key
    preshared_key = secret.shared
    endpoint      = local.hamburg.endpoint
    keepalive     = 25 # both keep the way through NAT open, and are missed when they are silent

    # The other router's own addresses in the tunnel, and the networks behind it, which become
    # routes.
    allowed_ips = [
      "${cidrhost(local.sites, 2)}/32", "${cidrhost(local.sites6, 2)}/128",
      local.hamburg.lan, local.hamburg.lan6,
    ]
  }
}

network "sites" {
  link = wireguard.sites
  ipv4 = "${cidrhost(local.sites, 1)}/24"
  ipv6 = "${cidrhost(local.sites6, 1)}/64"
}

# Both files are made on the routers and are in no spec: umask 077; wg genkey >FILE on each, and
# wg genpsk >FILE on one of them, which the other one gets a copy of.
secret "sites" {
  path = "/var/lib/secrets/sites"
}

secret "shared" {
  path = "/var/lib/secrets/shared"
}

# A second tunnel, for people on the way. They have no endpoint: wherever they connect from, the
# router answers there. "nbr wg client -generate -qr phone site-berlin" makes the phone's key
# and shows its configuration as a QR code.
wireguard "people" {
  listen      = 51821
  private_key = secret.people
  public_key  = "sLw9ronAyCgCsQJA0Ew2DygylKOj1w6QJZqFbnSGP18="
  endpoint    = "berlin.example.org:51821"

  peer "laptop" {
    public_key  = "yhdDa4eBPaxoFfsx0SaP9660LBAS6Ut25XoYWvXIYwA="
    allowed_ips = ["${cidrhost(local.berlin.people, 2)}/32", "${cidrhost(local.berlin.people6, 2)}/128"]
  }

  peer "phone" {
    public_key  = "a9pG6uHMeKDzJC0aGzvRZ4Iu1QibI5DuY1gUKKIEzGY="
    allowed_ips = ["${cidrhost(local.berlin.people, 3)}/32", "${cidrhost(local.berlin.people6, 3)}/128"]
  }
}

network "people" {
  link   = wireguard.people
  ipv4   = "${cidrhost(local.berlin.people, 1)}/24"
  ipv6   = "${cidrhost(local.berlin.people6, 1)}/64"
  domain = "berlin.home.arpa"
}

secret "people" {
  path = "/var/lib/secrets/people"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "ping"]
}

zone "people" {
  networks = [network.people]
  allow    = ["ssh", "dns", "ping"]
}

zone "sites" {
  networks = [network.sites]
  allow    = ["ping"]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"] # both tunnels listen there
}

policy "internet" {
  from       = [zone.lan, zone.people]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "sites" {
  from   = [zone.lan, zone.people]
  to     = [zone.sites]
  action = "accept"
}

# From the other site to this one, and from people on the way.
policy "inside" {
  from   = [zone.sites, zone.people]
  to     = [zone.lan]
  action = "accept"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.10.100-192.168.10.199"]
}

router_advert "lan" {
  network = network.lan
}

resolver {
  networks = [network.lan, network.people]
}

ssh {
  networks = [network.lan, network.people]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
