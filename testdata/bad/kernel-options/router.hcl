# Options that no kernel has, and one that is always set.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

firmware {
  kernel         = "nixpkgs-latest"              # WARNING: kernel-untried
  kernel_options = ["NET_SCH_CAEK", "CRYPTO_BLAKE2S", "CRYPTO"] # ERROR: no-such-kernel-option no-such-kernel-option # WARNING: needless-kernel-option
}
