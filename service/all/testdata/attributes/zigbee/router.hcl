router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.0.2.1"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["mqtt"]
}

secret "key" {
  source = "sops"
  file   = "secrets.yaml"
}

secret "spare" {
  source = "sops"
  file   = "secrets.yaml"
}

secret "lamps" {
  source = "sops"
  file   = "secrets.yaml"
}

secret "blinds" {
  source = "sops"
  file   = "secrets.yaml"
}

zigbee {
  port            = "/dev/serial/by-id/usb-a"
  adapter         = "ember"
  channel         = 20
  pan_id          = "0x4f2a"
  extended_pan_id = "0x9c1f5d2e8a7b3046"
  network_key     = secret.key
  password        = secret.lamps
}

mqtt {
  networks = [network.lan]

  user "lamps" {
    password  = secret.lamps
    readwrite = ["zigbee2mqtt/#"]
  }

  user "blinds" {
    password  = secret.blinds
    readwrite = ["zigbee2mqtt/#"]
  }
}
