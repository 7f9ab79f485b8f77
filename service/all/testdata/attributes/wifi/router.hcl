router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

port "wlp1s0" {}

port "wlp2s0" {}

bridge "home" {
  ports = [port.lan1]
}

network "lan" {
  link = bridge.home
  ipv4 = "192.168.1.1/24"
}

zone "home" {
  networks = [network.lan]
}

secret "one" {
  path = "/var/lib/secrets/one"
}

secret "two" {
  path = "/var/lib/secrets/two"
}

wifi "a" {
  radio   = port.wlp1s0
  country = "DE"
  band    = "5GHz"
  channel = 36
  width   = "80MHz"

  ssid "One" {
    network  = network.lan
    password = secret.one
    bssid    = "02:00:00:00:00:01"
  }

  ssid "Two" {
    network  = network.lan
    password = secret.two
    bssid    = "02:00:00:00:00:02"
  }
}
