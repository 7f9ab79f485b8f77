# Groups of neighbours of BGP, and values to choose from.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "left" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}

network "right" {
  link = port.lan3
  ipv4 = "10.254.0.1/24"
}

zone "all" {
  networks = [network.left, network.right]
}

secret "one" {
  path = "/var/lib/secrets/one"
}

secret "two" {
  path = "/var/lib/secrets/two"
}

bfd "fast" {
  receive = 50
}

bfd "slow" {}

prefix_list "some" {
  permit = ["10.0.0.0/8 le 24"]
}

prefix_list "all" {
  permit = ["0.0.0.0/0 le 32", "::/0 le 128"]
}

bgp_group "near" {
  remote_as    = 65002
  network      = network.left
  prefixes_in  = prefix_list.some
  prefixes_out = prefix_list.some
  password     = secret.one
  bfd          = bfd.fast
}

bgp_group "far" {
  remote_as    = 65003
  network      = network.right
  prefixes_in  = prefix_list.all
  prefixes_out = prefix_list.all
  password     = secret.two
  bfd          = bfd.slow
}

bgp {
  as        = 65001
  router_id = "10.255.0.1"

  neighbor "other" {
    group = bgp_group.near
  }
}
