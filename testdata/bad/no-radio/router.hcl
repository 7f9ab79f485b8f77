# Parts that the board does not have.

router "r" {
  board         = "raspberrypi-rpi4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

firmware {
  accept_regulatory_responsibility = true # ERROR: no-radio
  clock_battery                    = true # ERROR: no-clock
  watchdog                         = true # ERROR: no-watchdog
}
