# Builds what runs before the kernel: Trusted Firmware-A and U-Boot, for the
# board and the memory that the spec names.
#
# nixos-sbc compiles them with the nixpkgs of whoever uses it, and its patches
# fit only the U-Boot of the nixpkgs that it locks. So they are built with that
# one, whatever release the router runs; only kernels come from the release.
{
  config,
  lib,
  pkgs,
  nixos-sbc,
  ...
}:
let
  cfg = config.nbr.firmware;

  # The platforms are the router's, so that a cross build stays one.
  firmwarePkgs = import nixos-sbc.inputs.nixpkgs {
    localSystem = pkgs.stdenv.buildPlatform.system;
    crossSystem = pkgs.stdenv.hostPlatform.system;
    # Not those of whoever builds. A board may not start without what is not free.
    config = lib.optionalAttrs (cfg.unfree != [ ]) {
      allowUnfreePredicate = p: builtins.elem (lib.getName p) cfg.unfree;
    };
    overlays = [ ];
  };

  sbcPkgs = firmwarePkgs.callPackage (nixos-sbc + "/pkgs") { };

  kernels = lib.filterAttrs (name: _: lib.hasPrefix "linuxPackages" name) (
    pkgs.callPackage (nixos-sbc + "/pkgs") { }
  );

  # makeFlags, because extraMakeFlags are part of them by now. That the new ones
  # stand after make's goals does not matter to make.
  armTrustedFirmware = sbcPkgs.${cfg.armTrustedFirmware.package}.overrideAttrs (old: {
    inherit (cfg.armTrustedFirmware) version;
    src = firmwarePkgs.fetchFromGitHub {
      inherit (cfg.armTrustedFirmware)
        owner
        repo
        rev
        hash
        ;
    };
    makeFlags = old.makeFlags ++ cfg.armTrustedFirmware.makeFlags;
  });

  uboot = sbcPkgs.${cfg.uboot}.overrideAttrs (
    old:
    lib.optionalAttrs (cfg.armTrustedFirmware != null) { postBuild = pack old.postBuild; }
    // lib.optionalAttrs (cfg.ubootSource != null) {
      inherit (cfg.ubootSource) version;
      src = firmwarePkgs.fetchurl {
        url = "https://ftp.denx.de/pub/u-boot/u-boot-${cfg.ubootSource.version}.tar.bz2";
        inherit (cfg.ubootSource) hash;
      };
    }
  );

  # U-Boot's package packs both into fip.bin, and nixos-sbc's recipe names its
  # own Trusted Firmware-A in the commands for it. They are written anew: the
  # old text with the path replaced would still depend on the old one.
  pack =
    old:
    assert lib.assertMsg (lib.hasInfix "fiptool create --soc-fw" old)
      "nbr.firmware: this revision of nixos-sbc builds fip.bin of ${cfg.uboot} in another way";
    ''
      fiptool create --soc-fw ${armTrustedFirmware}/bl31.bin --nt-fw u-boot.bin fip.bin
      cp ${armTrustedFirmware}/bl2.img bl2.img
    '';

  # The kernel of nixos-sbc with another source: its configuration and everything
  # else of the recipe stay.
  kernelPkgs = if config.nbr.kernel.nixpkgs == "release" then pkgs else firmwarePkgs;
  inherit (config.nbr.kernel) source;
  linuxPackages = kernelPkgs.linuxPackagesFor (
    (kernelPkgs.callPackage (nixos-sbc + "/pkgs") { }).${source.package}.kernel.override (old: {
      argsOverride = (old.argsOverride or { }) // {
        inherit (source) version;
        modDirVersion = source.version;
        src = kernelPkgs.fetchFromGitHub {
          inherit (source)
            owner
            repo
            rev
            hash
            ;
        };
      };
    })
  );

  rebuilt = {
    ${cfg.uboot} = uboot;
  }
  // lib.optionalAttrs (source != null) { ${source.package} = linuxPackages; }
  // lib.optionalAttrs (cfg.armTrustedFirmware != null) {
    ${cfg.armTrustedFirmware.package} = armTrustedFirmware;
  };

  packages = sbcPkgs // lib.optionalAttrs (config.nbr.kernel.nixpkgs == "release") kernels // rebuilt;
in
{
  options.nbr.firmware = {
    uboot = lib.mkOption {
      type = lib.types.str;
      example = "ubootBananaPiR4";
      description = "The board's U-Boot, by its attribute in nixos-sbc's packages.";
    };

    unfree = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [ "rkbin" ];
      description = "The packages that are not free and that the board's firmware is made of, by name.";
    };

    ubootSource = lib.mkOption {
      type = lib.types.nullOr (
        lib.types.submodule {
          options = {
            version = lib.mkOption {
              type = lib.types.str;
              example = "2025.04";
              description = "The release of U-Boot.";
            };
            hash = lib.mkOption {
              type = lib.types.str;
              description = "The hash of its source.";
            };
          };
        }
      );
      default = null;
      description = "The release of U-Boot to build; null takes the one that nixos-sbc builds.";
    };

    armTrustedFirmware = lib.mkOption {
      type = lib.types.nullOr (
        lib.types.submodule {
          options = {
            package = lib.mkOption {
              type = lib.types.str;
              example = "armTrustedFirmwareMT7988";
              description = "The package to build, by its attribute in nixos-sbc's packages.";
            };
            version = lib.mkOption {
              type = lib.types.str;
              description = "The version of the package.";
            };
            owner = lib.mkOption {
              type = lib.types.str;
              default = "mtk-openwrt";
              description = "The owner of the repository on GitHub.";
            };
            repo = lib.mkOption {
              type = lib.types.str;
              default = "arm-trusted-firmware";
              description = "The repository on GitHub.";
            };
            rev = lib.mkOption {
              type = lib.types.str;
              description = "The revision of the repository.";
            };
            hash = lib.mkOption {
              type = lib.types.str;
              description = "The hash of the source at this revision.";
            };
            makeFlags = lib.mkOption {
              type = lib.types.listOf lib.types.str;
              default = [ ];
              example = [ "DDR4_4BG_MODE=1" ];
              description = "Arguments of make besides nixos-sbc's own.";
            };
          };
        }
      );
      default = null;
      description = "How to build Trusted Firmware-A; null leaves it as nixos-sbc builds it.";
    };
  };

  config = {
    # nixos-sbc sets it too; two plain definitions would clash.
    _module.args.sbcPkgs = lib.mkForce packages;

    # The firmware of the image. Switching a running router to a new system does
    # not write it: that takes dd onto the card's partitions.
    system.build.nbrFirmware = packages.${cfg.uboot};
  };
}
