# Passwords in the store, and over ssh.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

secret "root" {
  path = "/run/secrets/root"
}

user "root" {
  hashed_password      = "$y$j9T$abc$def" # WARNING: password-in-store
  hashed_password_file = secret.root      # ERROR: two-passwords # WARNING: password-not-at-boot
}

ssh {
  networks  = [network.lan]
  passwords = true # WARNING: ssh-passwords
}
