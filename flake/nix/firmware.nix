# Builds what runs before the kernel: Trusted Firmware-A and U-Boot, for the
# board and the memory that the spec names; and the kernel, where it is nixos-sbc's.
#
# nixos-sbc compiles them with the nixpkgs of the flake that uses it, and its patches
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

  text =
    more: description:
    lib.mkOption (
      {
        type = lib.types.str;
        inherit description;
      }
      // more
    );

  # A package of nixos-sbc's, and the revision on GitHub that it is built from.
  revision =
    more:
    lib.types.submodule {
      options = {
        package = text { } "The package to build, by its attribute in nixos-sbc's packages.";
        version = text { } "The version of the package: of a kernel as uname -r prints it.";
        owner = text { } "The owner of the repository on GitHub.";
        repo = text { } "The repository on GitHub.";
        rev = text { } "The revision of the repository.";
        hash = text { } "The hash of the source at this revision.";
      }
      // more;
    };
  fetch =
    from: source:
    from.fetchFromGitHub {
      inherit (source)
        owner
        repo
        rev
        hash
        ;
    };

  # The platforms are the router's, so that a cross build stays one.
  firmwarePkgs = import nixos-sbc.inputs.nixpkgs {
    localSystem = pkgs.stdenv.buildPlatform.system;
    crossSystem = pkgs.stdenv.hostPlatform.system;
    # Not those of the one who builds. A board may not start without what is not free.
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
    src = fetch firmwarePkgs cfg.armTrustedFirmware;
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
        src = fetch kernelPkgs source;
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
    uboot = text { example = "ubootBananaPiR4"; } "The board's U-Boot, by its attribute in nixos-sbc's packages.";

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
            version = text { example = "2025.04"; } "The release of U-Boot.";
            hash = text { } "The hash of its source.";
          };
        }
      );
      default = null;
      description = "The release of U-Boot to build; null takes the one that nixos-sbc builds.";
    };

    armTrustedFirmware = lib.mkOption {
      type = lib.types.nullOr (revision {
        owner = text { default = "mtk-openwrt"; } "The owner of the repository on GitHub.";
        repo = text { default = "arm-trusted-firmware"; } "The repository on GitHub.";
        makeFlags = lib.mkOption {
          type = lib.types.listOf lib.types.str;
          default = [ ];
          example = [ "DDR4_4BG_MODE=1" ];
          description = "Arguments of make besides nixos-sbc's own.";
        };
      });
      default = null;
      description = "How to build Trusted Firmware-A; null leaves it as nixos-sbc builds it.";
    };
  };

  options.nbr.kernel = {
    nixpkgs = lib.mkOption {
      type = lib.types.enum [
        "release"
        "nixos-sbc"
      ];
      default = "release";
      description = ''
        The nixpkgs that the kernels of nixos-sbc are built with: the router's
        own or, for series that it has dropped, the one that nixos-sbc locks.
      '';
    };

    source = lib.mkOption {
      type = lib.types.nullOr (revision { });
      default = null;
      description = "The source of the kernel; null takes the one that nixos-sbc builds.";
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
