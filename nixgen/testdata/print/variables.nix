{
  a = config.boot.kernelPackages;
  b = nixosConfigurations."4ap".config;

  c = [
    ./local.nix
    true
    null
  ];
}
