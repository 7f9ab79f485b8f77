# Evaluates nbr's Nix modules over the stand-ins and tells what came of it.
{
  firmware, # path of the module
  kernel, # path of the module
  armTrustedFirmware,
  ubootSource ? null,
  kernelNixpkgs ? "release",
  kernelSource ? null,
  required ? { },
  buildSystem ? "aarch64-linux",
}:
let
  lib = import ./lib.nix;
  hostSystem = "aarch64-linux";

  pkgs = import ./nixpkgs {
    localSystem = buildSystem;
    crossSystem = hostSystem;
    release = "the router's";
  };

  nixos-sbc = {
    outPath = ./sbc;
    inputs.nixpkgs = ./nixpkgs;
  };

  config = {
    nbr.firmware = {
      uboot = "uboot";
      unfree = [ ];
      inherit armTrustedFirmware ubootSource;
    };
    nbr.kernel = {
      nixpkgs = kernelNixpkgs;
      source = kernelSource;
      inherit required;
    };
    boot.kernelPackages.kernel.configfile = "/config";
  };

  args = {
    inherit
      config
      lib
      pkgs
      nixos-sbc
      ;
  };

  ours = (import firmware args).config;
  inherit (ours._module.args) sbcPkgs;

  stock =
    (import ./nixpkgs {
      localSystem = buildSystem;
      crossSystem = hostSystem;
    }).callPackage
      ./sbc/pkgs
      { };

  dependencies = text: builtins.attrNames (builtins.getContext text);
in
{
  inherit (sbcPkgs.armTrustedFirmware) makeFlags version system;
  source = sbcPkgs.armTrustedFirmware.src.url;
  nixpkgs = {
    armTrustedFirmware = sbcPkgs.armTrustedFirmware.release;
    uboot = sbcPkgs.uboot.release;
    kernel = sbcPkgs.linuxPackages_board.kernel.release;
  };
  kernel = {
    inherit (sbcPkgs.linuxPackages_board.kernel) version modDirVersion kept;
    source = sbcPkgs.linuxPackages_board.kernel.src.url or "";
  };
  host = sbcPkgs.uboot.name;
  ubootSource = sbcPkgs.uboot.src.url or "";

  stock = sbcPkgs.uboot.drvPath == stock.uboot.drvPath;
  image = ours.system.build.nbrFirmware.drvPath == sbcPkgs.uboot.drvPath;
  onlyOnOurs = dependencies sbcPkgs.uboot.postBuild == [ sbcPkgs.armTrustedFirmware.drvPath ];

  # The two ways that look right and are not.
  naive = (stock // { inherit (sbcPkgs) armTrustedFirmware; }).uboot.drvPath == stock.uboot.drvPath;
  replaced = builtins.elem stock.armTrustedFirmware.drvPath (
    dependencies (
      builtins.replaceStrings [ "${stock.armTrustedFirmware}" ] [ "${sbcPkgs.armTrustedFirmware}" ]
        stock.uboot.postBuild
    )
  );

  checks = map (check: {
    inherit (check) required buildCommand system;
  }) (import kernel args).config.system.checks;
}
