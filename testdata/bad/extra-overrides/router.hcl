# What extra says otherwise than the spec: its line wins, and the rest of the spec is wrong.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

bridge "br0" {
  ports = [port.lan1, port.lan2]
  mtu   = 1400
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "other" {
  link = port.lan3
  ipv4 = "192.168.2.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan, network.other]
  allow    = ["ssh", "dns", "dhcp"]
}

zone "wan" {
  networks = [network.wan]
}

user "anna" {
  admin           = true
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

ssh {
  networks = [network.lan]
  extra = { # WARNING: extra-overrides
    AllowGroups            = ["wheel"]
    MaxAuthTries           = 3
    passwordauthentication = true
  }
}

interfaces {
  extra = {
    parameters = {
      ignore = {
        ifname = ["^x"] # WARNING: extra-overrides
      }
    }
    interfaces = {
      lan1 = { link = { state = "down" } } # WARNING: extra-overrides
      lan3 = null                          # WARNING: extra-overrides
      br0 = {
        link = {
          mtu              = 1500 # WARNING: extra-overrides
          br_forward_delay = 200
        }
      }
    }
  }
}

dhcp_client {
  extra = [
    "nogateway", # WARNING: extra-overrides
    "timeout 30",
    "interface wan", # WARNING: extra-overrides
  ]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  extra = { # WARNING: extra-overrides extra-overrides
    valid-lifetime     = 60
    min-valid-lifetime = 30
    option-data        = [{ name = "routers", data = "192.168.1.9" }, { name = "ntp-servers", data = "192.0.2.123" }]
  }
}

resolver {
  networks = [network.lan]
  extra = {
    workers = 4 # WARNING: extra-overrides
    logging = { level = "info" }
  }
}

nix {
  extra = {
    experimental-features = ["ca-derivations"] # WARNING: extra-overrides
    keep-outputs          = true
  }
}
