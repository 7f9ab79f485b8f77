# Names that mean something else to the programs that get them.
router "nbr" { # ERROR: reserved-name
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "lo" { # ERROR: reserved-name
  ports = [port.lan1]
}

bridge "all" { # ERROR: reserved-name
  ports = [port.lan2]
}

vlan "v" { # ERROR: reserved-name
  name = "default"
  link = port.lan3
  id   = 10
}

vlan "w" { # ERROR: reserved-name
  name = "12"
  link = port.lan3
  id   = 12
}

vlan "x" { # ERROR: reserved-name
  name = "docker0"
  link = port.lan3
  id   = 13
}

bridge "bonding_masters" {} # ERROR: reserved-name

secret "k" {
  path = "/var/lib/secrets/k"
}

wireguard "veth0" { # ERROR: reserved-name # WARNING: tunnel-without-peers
  private_key = secret.k
}

user "sshd" {} # ERROR: reserved-name

user "nixbld1" {} # ERROR: reserved-name

input "self" { # ERROR: reserved-name
  url = "github:a/b"
}
