# What people write who know Terraform.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

resource "network" "lan" { # ERROR: unsupported-block
}

data "network" "lan" { # ERROR: unsupported-block
}

locals {
  key = file("id.pub") # ERROR: no-such-function
  now = timestamp()    # ERROR: no-such-function
}

network "a" {
  count      = 3 # ERROR: unsupported-argument
  link       = port.lan1
  ipv4       = "10.0.0.1/24"
  depends_on = [network.v] # ERROR: unsupported-argument
}

vlan "v" {
  for_each = { a = 1, b = 2 }
  link     = port.lan2
  id       = each.value
}

network "v" {
  for_each = { a = 1, b = 2 }
  link     = vlan.v[each.key]
  ipv4     = "10.0.${each.value}.1/24"
}

zone "values" {
  networks = values(network.v) # ERROR: not-a-list
}

zone "for" {
  networks = [for n in network.v : n] # ERROR: not-a-list
}

zone "splat" {
  networks = network.v[*] # ERROR: not-a-list
}

zone "text" {
  networks = ["network.a"] # ERROR: not-a-reference
}

zone "one" {
  networks = network.a # ERROR: not-a-list
}

secret "s" {
  path = "/var/lib/secrets/s"
}

wireguard "wg0" {
  private_key = secret.s

  dynamic "peer" { # ERROR: unsupported-block
    for_each = [1]
    content {
    }
  }
}
