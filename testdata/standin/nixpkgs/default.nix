# import <nixpkgs> { … }: packages that are empty, but derivations. They keep
# the arguments of their recipes in their environment, so that one recipe can be
# told from another by its path.
{
  system ? builtins.currentSystem,
  localSystem ? system,
  crossSystem ? localSystem,
  config ? { },
  overlays ? [ ],
}:
let
  lib = import ./lib;
  buildPlatform = lib.systems.elaborate localSystem;
  hostPlatform = lib.systems.elaborate crossSystem;
  native = buildPlatform.system == hostPlatform.system;

  buildPackages =
    if native then
      final
    else
      import ./. {
        inherit localSystem config overlays;
      };

  packages = import ./pkgs {
    inherit
      buildPackages
      buildPlatform
      config
      hostPlatform
      lib
      ;
    path = ./.;
  };

  final = lib.fix (lib.foldl' (lib.flip lib.extends) packages overlays);
in
final
