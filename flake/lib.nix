# What other flakes call.
{ nixpkgs, self }:
let
  inherit (nixpkgs) lib;
in
{
  # withServices builds an nbr that knows further kinds of blocks. Each service is
  # a Go package of this name with func Kind() service.Kind; it may import what nbr
  # itself imports.
  #
  #   nbr.lib.withServices {
  #     pkgs = nixpkgs.legacyPackages.x86_64-linux;
  #     services = { nat64 = ./nat64; };
  #   }
  withServices =
    { pkgs, services }:
    let
      names = builtins.attrNames services;
      lines = f: lib.concatMapStringsSep "\n" f names;
      main = ''
        // Nbr with further services.
        package main

        import (
        	"github.com/nbr-dev/nbr/cmd"
        	"github.com/nbr-dev/nbr/service/all"
        ${lines (name: "\t\"github.com/nbr-dev/nbr/service/${name}\"")}
        )

        func main() { cmd.Main(append(all.Kinds(), ${
          lib.concatMapStringsSep ", " (name: "${name}.Kind()") names
        })...) }
      '';
    in
    self.packages.${pkgs.stdenv.hostPlatform.system}.nbr.overrideAttrs (old: {
      pname = "nbr-with-services";
      postPatch = (old.postPatch or "") + ''
        ${lines (name: ''
          test ! -e service/${name} || { echo "nbr has a service ${name} already" >&2; exit 1; }
          cp -r ${services.${name}} service/${name}
        '')}
        cp ${pkgs.writeText "main.go" main} cmd/nbr/main.go
      '';
    });

  # fromSpec generates while Nix evaluates, for those who do not want generated
  # files in git: nbr runs in a derivation and its output is imported. It gives a
  # module for each router of the spec, which has nbr in it.
  #
  #   nixosConfigurations.bpi-r4 = nixpkgs.lib.nixosSystem {
  #     specialArgs = { inherit nixos-sbc; };
  #     modules = [ (nbr.lib.fromSpec ./router).bpi-r4 ];
  #   };
  #
  # Instead of a path it takes { spec, vars, pkgs, nbr }.
  fromSpec =
    arg:
    let
      args = if builtins.isAttrs arg && !(arg ? outPath) then arg else { spec = arg; };
      pkgs = args.pkgs or nixpkgs.legacyPackages.x86_64-linux;
      nbr = args.nbr or self.packages.${pkgs.stdenv.hostPlatform.system}.nbr;
      vars = lib.concatStringsSep " " (
        lib.mapAttrsToList (name: value: "-var ${lib.escapeShellArg "${name}=${value}"}") (args.vars or { })
      );
      tree = pkgs.runCommand "nbr-tree" { nativeBuildInputs = [ nbr ]; } ''
        nbr gen -o $out ${vars} ${args.spec}
      '';
      isRouter = name: type: type == "directory" && name != "nbr";
    in
    lib.mapAttrs (name: _: "${tree}/routers/${name}") (
      lib.filterAttrs isRouter (builtins.readDir "${tree}/routers")
    );
}
