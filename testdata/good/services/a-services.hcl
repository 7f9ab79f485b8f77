ssh {
  networks = [network.lan]
  extra    = { MaxAuthTries = 3 }
}

resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9", "2620:fe::fe"]
  workers  = 4
  extra    = { logging = { level = "info" } }
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.149", "192.168.1.160-192.168.1.199"]
  lease   = "2d"
  extra   = { "renew-timer" = 900 }
}

time {
  servers  = ["ptbtime1.ptb.de", "192.0.2.123"]
  nts      = true
  networks = [network.lan]
}

interfaces {
  ignore = ["^veth"]
}

dhcp_client {
  extra = ["noarp"]
}

firewall {
  log_drops  = false
  anti_spoof = false
  ping       = false

  timeout "voice" {
    services   = ["sip"]
    idle       = "3h"
    unanswered = "2m"
  }
}

nix {
  generations = 3
  extra       = { "max-jobs" = 2 }
}

firmware {
  kernel_options  = ["NET_SCH_CAKE"]
  root_filesystem = "ext4"
  binary_cache    = false
  clock_battery   = true
}

user "me" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
  admin           = true
  groups          = ["dialout"]
  description     = "Me, Myself"
}
