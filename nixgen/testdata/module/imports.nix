{ ... }: {
  imports = [
    ./network.nix
    # network.lan, router.hcl:12
    ./local.nix
  ];

  boot.isContainer = true;
}
