# A password, and an sshd that takes keys only.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

user "root" {
  hashed_password_file = secret.root
}

ssh { # ERROR: lock-out
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

secret "root" {
  path = "/var/lib/secrets/root"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
