# Blocks with for_each in every position: maps, lists, sets, none at all, keys
# that are numbers.

router "instances" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

vlan "numbered" {
  for_each = range(2, 5)
  name     = "v${each.key}"
  link     = port.lan1
  id       = each.value
}

vlan "set" {
  for_each = toset(["b", "a"])
  link     = port.lan2
  id       = { a = 1, b = 2 }[each.key]
}

vlan "none" {
  for_each = {}
  link     = port.lan3
  id       = 1
}

bridge "br0" {
  ports = [vlan.numbered, vlan.none, vlan.set["a"], port.lan3]
}

network "br0" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

network "n" {
  for_each = { b = "192.168.2.1/24" }
  link     = vlan.set[each.key]
  ipv4     = each.value
}

zone "all" {
  networks = [network.n, network.br0]
}

secret "s" {
  for_each = { a = "/var/lib/secrets/a", b = "/var/lib/secrets/b" }
  path     = each.value
}

user "anna" {
  hashed_password_file = secret.s["a"]
}

user "bert" {
  hashed_password_file = secret.s["b"]
}
