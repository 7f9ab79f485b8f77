# The options of a VM, as far as a router sets them, and the program that starts it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.virtualisation;
  option = type: default: lib.mkOption { inherit type default; };
in
{
  options.virtualisation = {
    memorySize = option lib.types.ints.positive 1024;
    diskSize = option lib.types.ints.positive 1024;
    cores = option lib.types.ints.positive 1;
    graphics = option lib.types.bool true;
    useEFIBoot = option lib.types.bool false;
    qemu.options = option (lib.types.listOf lib.types.str) [ ];
    qemu.networkingOptions = option (lib.types.listOf lib.types.str) [ ];
  };

  config = {
    fileSystems = lib.mkVMOverride {
      "/" = {
        device = "/dev/disk/by-label/nixos";
        fsType = "ext4";
      };
    };
    virtualisation.qemu.networkingOptions = [
      "-net nic,netdev=user.0,model=virtio"
      "-netdev user,id=user.0"
    ];
    system.build.vm = pkgs.runCommand "nixos-vm" {
      inherit (config.system.build) toplevel;
      inherit (cfg)
        cores
        diskSize
        graphics
        memorySize
        useEFIBoot
        ;
      inherit (cfg.qemu) networkingOptions options;
      meta.mainProgram = "run-${config.system.name}-vm";
    } "touch $out";
  };
}
