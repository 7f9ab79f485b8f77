# lib.nixosSystem.
self:
{
  modules,
  specialArgs ? { },
  system ? null,
  ...
}:
let
  lib = self.lib;
  eval = lib.evalModules {
    class = "nixos";
    modules = [
      ./base.nix
      ./frr.nix
      ./hostapd.nix
      ./vm.nix
    ]
    ++ lib.optional (system != null) { nixpkgs.system = lib.mkDefault system; }
    ++ modules;
    specialArgs = {
      modulesPath = toString ./modules;
      inherit (eval) extendModules;
    }
    // specialArgs;
  };
in
eval
// {
  inherit lib;
  pkgs = eval._module.args.pkgs;
}
