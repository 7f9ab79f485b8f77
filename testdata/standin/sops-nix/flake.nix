{
  description = "A stand-in for sops-nix: its options, from nbr's table";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, ... }:
    {
      nixosModules = {
        sops = ./module.nix;
        default = self.nixosModules.sops;
      };
    };
}
