zone "a​b" { # ERROR: hidden-character
  networks = [network.lan]
}
