# The options of sbc.*, and what sbc.enable sets.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.sbc;
  default = x: { _option.default = x; };
  # A device has its own name in the device tree, and is on if its status says so.
  device.devices."<name>" = {
    dtTarget._option.fallback = loc: lib.elemAt loc (lib.length loc - 2);
    _modules = [
      ({ config, ... }: { enable = lib.mkOptionDefault (config.status != "disabled"); })
    ];
  };
in
{
  options = lib.standin.declareFile ../options.json {
    sbc = {
      enable = default false;
      version = default "99.99";
      suppressVendorKernelWarning = default false;
      bootstrap = {
        enable = default true;
        rootFilesystem = default (if cfg.version == "0.1" then "ext4" else "btrfs-subvol");
        initialBootstrapImage = default false;
      };
      filesystem.useDefaultLayout = default (
        if cfg.bootstrap.enable then cfg.bootstrap.rootFilesystem else false
      );
      boot.bootloader = {
        manage = default true;
        backend = default "uboot";
      };
      wireless.wifi.enable = default true;
      board = {
        name = default "${cfg.board.vendor} ${cfg.board.model}";
        i2c = device;
        uart = device;
        rtc = device;
        wifi = device;
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # Not by specialArgs: whoever wants other packages must force them.
    _module.args = {
      sbcPkgs = pkgs.callPackage ../pkgs { };
      sbcLibPath = ./.;
    };

    warnings =
      lib.optional (cfg.version == "99.99") "sbc.version is not set"
      ++ lib.optional (
        !cfg.suppressVendorKernelWarning
        && config.boot.kernelPackages.kernel.extraMeta.vendorKernel or false
      ) "this device uses a vendor kernel";

    assertions = [
      {
        assertion = cfg.bootstrap.enable -> config.boot.loader.generic-extlinux-compatible.enable;
        message = "the SD image needs the generic-extlinux-compatible boot loader";
      }
    ];

    boot.loader.generic-extlinux-compatible.enable = true;
    zramSwap.enable = lib.mkDefault true;
    nix.settings.auto-optimise-store = lib.mkDefault true;

    fileSystems = lib.mkIf (cfg.filesystem.useDefaultLayout != false) {
      "/" = {
        device = "/dev/disk/by-label/root";
        fsType = if cfg.filesystem.useDefaultLayout == "ext4" then "ext4" else "btrfs";
      };
    };

    system.build.rootfsImage = pkgs.runCommand "rootfs" {
      system = config.system.build.toplevel;
      populate = config.boot.loader.generic-extlinux-compatible.populateCmd;
    } ''echo "$populate" > "$out"'';
  };
}
