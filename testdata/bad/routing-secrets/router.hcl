# Passwords of neighbours that are secrets for something else, and a link that is half passive.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

network "core" {
  link = port.lan2
  ipv4 = "10.2.0.1/24"
}

network "more" {
  link = port.lan2
  ipv4 = "10.3.0.1/24"
}

zone "lan" {
  networks = [network.lan, network.core, network.more]
}

secret "admin" {
  path = "/var/lib/secrets/admin"
}

secret "tunnel" {
  path = "/var/lib/secrets/tunnel"
}

user "admin" {
  admin                = true
  hashed_password_file = secret.admin
}

wireguard "wg0" { # WARNING: tunnel-without-peers
  private_key = secret.tunnel
}

prefix_list "some" {
  permit = ["10.1.0.0/24"]
}

bgp {
  as        = 65001
  router_id = "10.1.0.1"

  neighbor "account" {
    address   = "10.1.0.2"
    remote_as = 65001
    password  = secret.admin # ERROR: secret-of-two-kinds
  }

  neighbor "tunnel" {
    address   = "10.1.0.3"
    remote_as = 65001
    password  = secret.tunnel # ERROR: secret-of-two-kinds
  }
}

ospf {
  router_id = "10.1.0.1"

  area "0" {
    networks = [network.core]
    passive  = [network.more] # ERROR: link-half-passive
    password = secret.tunnel  # ERROR: secret-of-two-kinds
  }
}
