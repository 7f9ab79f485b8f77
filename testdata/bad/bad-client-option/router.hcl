# More than one line for dhcpcd.conf, and no pattern.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

dhcp_client {
  extra = ["noarp\nscript /bin/evil"] # ERROR: bad-value
}

interfaces {
  ignore = [""] # ERROR: bad-value
}
