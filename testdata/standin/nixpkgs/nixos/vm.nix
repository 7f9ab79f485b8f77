# The router again, as a VM: virtualisation.vmVariant (build-vm.nix).
{
  config,
  lib,
  extendModules,
  ...
}:
let
  vm = extendModules {
    modules = [
      ./qemu-vm.nix
      config.virtualisation.vmVariant
    ];
  };
in
{
  options.virtualisation.vmVariant = lib.mkOption {
    type = lib.types.deferredModule;
    default = { };
  };
  config.system.build.vm = lib.mkDefault vm.config.system.build.vm;
}
