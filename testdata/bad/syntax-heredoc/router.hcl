# A text whose last line is not its marker alone goes on to the end of the file.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  description   = <<-EOT
    A router.
  EOT;
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
