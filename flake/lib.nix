# What other flakes call.
{ nixpkgs, self }:
let
  inherit (nixpkgs) lib;

  # What fromSpec and evalSpec take: the folder of a spec, or { spec, vars, pkgs, nbr }.
  settings =
    arg:
    let
      args = if builtins.isAttrs arg && !(arg ? outPath) then arg else { spec = arg; };
      pkgs = args.pkgs or nixpkgs.legacyPackages.x86_64-linux;
    in
    {
      inherit pkgs;
      inherit (args) spec;
      nbr = args.nbr or self.packages.${pkgs.stdenv.hostPlatform.system}.nbr;
      vars = args.vars or { };
    };

  # How the evaluator calls a WebAssembly module, or null if it cannot: Determinate Nix has
  # builtins.wasm, and had builtins.wasi before.
  plugin =
    if builtins ? wasm then
      path: builtins.wasm { inherit path; }
    else
      builtins.wasi or null;

  # nbr as a plugin of the evaluator, for the spec of s. Its arguments are in evaluator.Run.
  call =
    s: more:
    plugin "${s.nbr.wasm}/nbr.wasm" (
      {
        functions = import ./values.nix;
        spec =
          if builtins.isPath s.spec then
            s.spec
          else
            /. + builtins.unsafeDiscardStringContext "${s.spec}";
        inherit (s) vars;
      }
      // more
    );

  library = {
    "firmware.nix" = ./nix/firmware.nix;
    "kernel.nix" = ./nix/kernel.nix;
    "module.nix" = ./module.nix;
    "uefi.nix" = ./nix/uefi.nix;
  };

  # The folder that the router finds in /etc/nbr/spec: what is read of the spec, and the values of
  # its variables.
  folder =
    s: pkgs: files:
    let
      root = toString s.spec + "/";
      below = path: lib.removePrefix root path;
      read = builtins.path {
        name = "spec";
        path = s.spec;
        # A folder of which nothing is read, as .git, is not there.
        filter =
          path: type:
          if type == "directory" then
            builtins.any (lib.hasPrefix (below path + "/")) files
          else
            builtins.elem (below path) files;
      };
      stored = s.spec + "/nbr.vars.json";
      vars =
        lib.optionalAttrs (builtins.pathExists stored) (builtins.fromJSON (builtins.readFile stored))
        // s.vars;
    in
    if s.vars == { } then
      read
    else
      pkgs.runCommandLocal "spec"
        {
          vars = builtins.toJSON vars;
          passAsFile = [ "vars" ];
        }
        ''
          cp -r ${read} $out
          chmod -R u+w $out
          cp $varsPath $out/nbr.vars.json
        '';

  # The modules of a spec's routers, made by the plugin. It is called once for what the routers are, and
  # once for each module, whose arguments it puts into the values that want them.
  modules =
    s:
    lib.mapAttrs (
      name: router:
      { config, lib, pkgs, ... }@args:
      {
        imports = [
          (call s {
            inherit args library;
            folder = folder s pkgs router.meta.files;
          }).${name}.module
        ]
        # The one with these services, for the router: ./module.nix knows the one without.
        ++ lib.optional (s.nbr ? services) {
          programs.nbr.package = lib.mkDefault (self.lib.withServices { inherit pkgs; inherit (s.nbr) services; });
        };
      }
    ) (call s { });

  # What a derivation makes of a spec where the evaluator cannot do it, by nbr's arguments.
  run =
    s: arguments:
    let
      vars = lib.concatStringsSep " " (
        lib.mapAttrsToList (name: value: "-var ${lib.escapeShellArg "${name}=${value}"}") s.vars
      );
    in
    s.pkgs.runCommand "nbr-tree" { nativeBuildInputs = [ s.nbr ]; } "nbr ${arguments vars}";
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
      main = package: function: ''
        ${lib.optionalString (package != "cmd") "//go:build wasip1\n"}
        // Nbr with further services.
        package main

        import (
        	"github.com/nbr-dev/nbr/${package}"
        	"github.com/nbr-dev/nbr/service/all"
        ${lines (name: "\t\"github.com/nbr-dev/nbr/service/${name}\"")}
        )

        func main() { ${function}(append(all.Kinds(), ${
          lib.concatMapStringsSep ", " (name: "${name}.Kind()") names
        })...) }
      '';
      nbr = self.packages.${pkgs.stdenv.hostPlatform.system}.nbr;
      # Both programs get the services, and the plugin in the same way.
      extend =
        package:
        package.overrideAttrs (old: {
          pname = "${old.pname}-with-services";
          postPatch = (old.postPatch or "") + ''
            ${lines (name: ''
              test ! -e service/${name} || { echo "nbr has a service ${name} already" >&2; exit 1; }
              cp -r ${services.${name}} service/${name}
            '')}
            cp ${pkgs.writeText "main.go" (main "cmd" "cmd.Main")} cmd/nbr/main.go
            cp ${pkgs.writeText "main.go" (main "evaluator/host" "host.Main")} cmd/nbr-wasm/main.go
          '';
        });
    in
    extend nbr // { inherit services; wasm = extend nbr.wasm; };

  # fromSpec gives a NixOS module for each router of a spec, which has nbr in it, for those who do not
  # want generated files in git. Where the evaluator runs WebAssembly, nbr is a part of it; elsewhere a
  # derivation runs nbr, and its output is imported. Both ways give the same options.
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
      s = settings arg;
      tree = run s (vars: "gen -o $out ${vars} ${s.spec}");
      isRouter = name: type: type == "directory" && name != "nbr";
    in
    if plugin != null then
      modules s
    else
      lib.mapAttrs (name: _: "${tree}/routers/${name}") (
        lib.filterAttrs isRouter (builtins.readDir "${tree}/routers")
      );

  # evalSpec gives what is known of each router of a spec as data, for modules of one's own:
  # { NAME = { meta, plan, spec, warnings }; }, where spec has the blocks, by type and by name.
  #
  #   (nbr.lib.evalSpec ./router).bpi-r4.spec.network.lan.address
  #
  # It takes what fromSpec takes.
  evalSpec =
    arg:
    let
      s = settings arg;
    in
    if plugin != null then
      call s { }
    else
      builtins.fromJSON (builtins.readFile (run s (vars: "eval ${vars} ${s.spec} >$out")));
}
