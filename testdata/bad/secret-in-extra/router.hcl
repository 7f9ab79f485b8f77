# Secrets in the words of other programs are in the Nix store like all of a spec.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp", "dns"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  extra = {
    lease-database = {
      type     = "postgresql"
      name     = "kea"
      password = "hunter2" # ERROR: secret-in-extra
    }
  }
}

resolver {
  networks = [network.lan]
  extra = {
    management = {
      api-token  = "0123456789abcdef" # ERROR: secret-in-extra
      token-file = "/run/secrets/token"
      secret     = "/run/secrets/other"
    }
  }
}
