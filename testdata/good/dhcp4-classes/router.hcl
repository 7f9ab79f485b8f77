# Phones, machines that boot from the network, and a machine that is known, each with what is
# theirs.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

host "printer" {
  network = network.lan
  mac     = "02:11:22:33:44:66"
}

host "scanner" {
  network = network.lan
  mac     = "02:11:22:33:44:77"
}

host "nas" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.10"
}

dhcp4 "lan" {
  network     = network.lan
  pool        = ["192.168.1.100-192.168.1.150"]
  dns         = ["192.168.1.53"]
  domain      = "home.arpa"
  next_server = "192.168.1.9"
  boot_file   = "undionly.kpxe"

  class "ipxe" { # has been loaded already
    user_class = ["iPXE"]
    boot_file  = "http://192.168.1.9/menu.ipxe"
  }

  class "phones" {
    vendor_class = ["snom", "Cisco Systems, Inc. IP Phone"]
    pool         = ["192.168.1.200-192.168.1.209", "192.168.1.220-192.168.1.229"]

    option "tftp-server-name" {
      value = ["phones.home.arpa"]
    }
    option "tftp-server-address" {
      value = ["192.168.1.8", "192.168.1.7"]
    }
    option "43" { # suboption 1 of the maker's own
      hex = "01:04:c0:a8:01:08"
    }
    option "ntp-servers" {
      value = ["192.168.1.8"]
    }
    option "domain-name-servers" {
      value = ["192.168.1.54"]
    }
    option "routers" {
      value = ["192.168.1.254"]
    }
  }

  class "office" {
    mac_prefix  = ["00:50:C2-0A:B", "00:04:13"]
    hosts       = [host.printer, host.nas]
    next_server = "192.168.1.7"

    option "domain-name" {
      value = ["office.home.arpa"]
      force = true
    }
    option "ntp-servers" { # a phone among them has that of phones
      value = ["192.168.1.7"]
    }
  }

  class "cellar" { # by the port of a switch that says so
    circuit_id = ["eth0/1's", "0x0004:00a1"]
    remote_id  = ["cellar"]
    pool       = ["192.168.1.240-192.168.1.249"]
  }

  boot "uefi" {
    architectures = [7]
    file          = "ipxe.efi"
  }

  option "ntp-servers" {
    value = ["192.168.1.9"]
  }
  option "interface-mtu" {
    value = ["1400"]
  }
}
