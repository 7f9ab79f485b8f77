{
  description = "A stand-in for nixos-sbc: its outputs, options and wiring, without its boards' details";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    {
      nixosModules = import ./modules;
      packages = nixpkgs.lib.genAttrs [ "aarch64-linux" ] (
        system: import ./pkgs { pkgs = nixpkgs.legacyPackages.${system}; }
      );
    };
}
