{
  description = "A stand-in for nixpkgs: its interface, nbr's table of options, packages that are empty";

  outputs =
    { self }:
    let
      lib = import ./lib // {
        nixosSystem = import ./nixos/system.nix self;
      };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs lib.systems.flakeExposed (system: import ./. { inherit system; });
      nixosModules = { };
    };
}
