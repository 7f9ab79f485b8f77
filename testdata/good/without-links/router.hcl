# A board none of whose ports is used: IfState's file has no interface, and is a file all the same.

router "r" {
  board         = "xunlong-opi5b"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}
