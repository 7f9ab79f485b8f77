# Private keys where a spec is. None of these is one.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

# -----BEGIN PRIVATE KEY-----
# bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleQ==
# -----END PRIVATE KEY-----

check "age" {
  command = ["grep", "AGE-SECRET-KEY-1NOTAKEYNOTAKEYNOTAKEYNOTAKEY", "/etc/keys"] # ERROR: private-key-in-spec
  title   = <<-EOT
    -----BEGIN RSA PRIVATE KEY-----
    bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleQ==
    EOT
}

# [Interface]
# PrivateKey = bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleQE=

check "tunnel" {
  command = ["sh", "-c", "echo PresharedKey=bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleQE= | wg setconf wg0 /dev/stdin"] # ERROR: private-key-in-spec
  title   = "PublicKey = bm90IGEga2V5LCBub3QgYSBrZXksIG5vdCBhIGtleQE="
}
