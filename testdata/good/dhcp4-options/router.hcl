# What clients are told beside an address, and what they boot.
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

network "lab" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan, network.lab]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network     = network.lan
  pool        = ["192.168.1.100-192.168.1.150", "192.168.1.200-192.168.1.210"]
  dns         = ["192.168.1.53"]
  v6_only     = "30m"
  next_server = "192.168.1.9"
  boot_file   = "undionly.kpxe"

  boot "uefi" {
    architectures = [7, 9]
    file          = "ipxe.efi"
  }
  boot "http" {
    architectures = [16]
    file          = "http://192.168.1.9/ipxe.efi"
  }

  option "ntp-servers" {
    value = ["192.168.1.1", "192.168.1.9"]
  }
  option "domain-search" {
    value = ["home.arpa", "example.org"]
  }
  option "interface-mtu" {
    value = ["1400"]
    force = true
  }
  option "time-offset" {
    value = ["-3600"]
  }
  option "ip-forwarding" {
    value = ["false"]
  }
  option "root-path" {
    value = ["nfs:192.168.1.9:/srv/root,ro"]
  }
  option "121" {
    hex = "08:0a:c0:a8:01:09"
  }
  option "252" {
    hex = "687474703a2f2f77706164"
  }
}

dhcp4 "lab" {
  network = network.lab
  pool    = ["192.168.2.100-192.168.2.150"]
  dns     = ["192.168.1.53"]

  boot "uefi" { # another network's
    architectures = [7]
    file          = "lab.efi"
  }

  option "routers" {
    value = ["192.168.2.254"]
  }
}
