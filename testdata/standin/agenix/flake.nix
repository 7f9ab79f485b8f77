{
  description = "A stand-in for agenix: its options, from nbr's table";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, ... }:
    {
      nixosModules = {
        age = ./module.nix;
        default = self.nixosModules.age;
      };
    };
}
