# Every block, in a file of its own concern. The files go by name; blocks refer
# to each other whatever the order.

router "services" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "UTC"
  import        = ["./mine.nix"]
  description   = "A router with \"all\" ${"$"}{services} and Zürich's ''quotes''"
}
