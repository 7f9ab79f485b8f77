# VLANs of a bridge with a release whose IfState has none.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  release       = "25.11"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  vlans "hosts" {
    ports    = [port.lan1, port.lan2]
    untagged = [10, 4095] # ERROR: bad-value
  }
}

bridge "br1" {
  vlans "hosts" { # ERROR: release-lacks
    ports  = [port.lan3, port.wan]
    tagged = ["10-12"]
  }
}
