# One spec for many sites: what differs is a variable.

router "router-of-berlin" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  time_zone     = { berlin = "Europe/Berlin", lima = "America/Lima" }[var.site]
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "${cidrhost(local.lan, 1)}/24"
  domain = local.domain
}

vlan "guest" {
  for_each = var.guests ? ["guest"] : []
  link     = port.lan1
  id       = 100 + var.number
}

network "guest" {
  for_each = var.guests ? { guest = 1 } : {}
  link     = vlan.guest[each.key]
  ipv4     = "${cidrhost(local.blocks[each.value], -2)}/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

zone "guest" {
  networks = [network.guest]
}

dhcp4 "lan" {
  network = network.lan
  pool    = [for n in [100, 150] : "${cidrhost(network.lan.ipv4, n)}-${cidrhost(network.lan.ipv4, n + 49)}"]
  dns     = local.servers
  domain  = network.lan.domain

  reservation "nas" {
    mac         = var.hosts.nas.mac
    ipv4        = cidrhost(network.lan.ipv4, var.hosts.nas.host)
    description = var.hosts.nas.note
  }

  reservation "printer" {
    mac         = upper(var.hosts["printer"].mac)
    ipv4        = cidrhost(network.lan.ipv4, var.hosts["printer"].host)
    description = <<-EOT
      ${var.hosts.printer.note}
      second line
    EOT
  }
}
