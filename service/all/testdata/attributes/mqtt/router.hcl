router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["192.168.1.53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "things" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "home" {
  networks = [network.lan, network.things]
  allow    = ["mqtts"]
}

secret "key" {
  path = "/var/lib/secrets/mqtt.key"
}

secret "other" {
  path = "/var/lib/secrets/other.key"
}

secret "home" {
  path = "/var/lib/secrets/home"
}

mqtt {
  networks = [network.lan]

  tls {
    name        = "mqtt.example.org"
    certificate = "/var/lib/mqtt.pem"
    key         = secret.key
  }

  user "home" {
    password  = secret.home
    readwrite = ["home/#"]
  }
}
