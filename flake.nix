{
  description = "Turns the HCL spec of a router into a NixOS flake";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "aarch64-darwin"
        "aarch64-linux"
        "x86_64-linux"
      ];
      forAll = f: lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      # With the plugin of the evaluator beside it, which is for lib.fromSpec.
      package =
        pkgs:
        let
          nbr = pkgs.callPackage ./flake/package.nix { };
        in
        nbr // { wasm = import ./flake/wasm.nix { inherit nbr; }; };
    in
    {
      packages = forAll (pkgs: {
        default = package pkgs;
        nbr = package pkgs;
        nbr-wasm = (package pkgs).wasm;
        site = import ./flake/site.nix {
          nbr = package pkgs;
          examples = ./testdata/routers;
        };
      });

      overlays.default = final: _prev: { nbr = package final; };

      nixosModules.default = ./flake/module.nix;

      lib = import ./flake/lib.nix { inherit nixpkgs self; };

      templates.default = {
        path = ./testdata/routers/bpi-r4;
        description = "The spec of a Banana Pi BPI-R4 as a home router";
      };

      devShells = forAll (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.go
            pkgs.nixfmt-rfc-style
            pkgs.nftables
          ];
        };
      });

      # The spec of the template, generated while Nix builds, is as it was when the
      # tests passed. Everything else that proves nbr needs a kernel: see .ci/run.
      checks = forAll (pkgs: {
        package = package pkgs;
        template = pkgs.runCommand "nbr-template" { nativeBuildInputs = [ (package pkgs) ]; } ''
          nbr fmt -check ${./testdata/routers/bpi-r4}
          nbr gen -o $out ${./testdata/routers/bpi-r4}
          nbr gen -check -o $out ${./testdata/routers/bpi-r4}
        '';
      });
    };
}
