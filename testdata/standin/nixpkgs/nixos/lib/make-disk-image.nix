# An image of a disk, by the arguments of the real one, with its assertions.
{
  pkgs,
  lib,
  config,
  diskSize ? "auto",
  additionalSpace ? "512M",
  bootSize ? "256M",
  contents ? [ ],
  partitionTableType ? "legacy",
  installBootLoader ? true,
  touchEFIVars ? false,
  fsType ? "ext4",
  label ? "nixos",
  configFile ? null,
  postVM ? "",
  memSize ? 1024,
  name ? "nixos-disk-image",
  format ? "raw",
  copyChannel ? true,
  additionalPaths ? [ ],
}:
assert lib.elem partitionTableType [
  "legacy"
  "legacy+gpt"
  "efi"
  "efixbootldr"
  "hybrid"
  "none"
];
assert partitionTableType != "none" -> fsType == "ext4";
assert lib.elem format [
  "qcow2"
  "qcow2-compressed"
  "vdi"
  "vpc"
  "raw"
];
pkgs.runCommand name {
  inherit
    additionalSpace
    bootSize
    diskSize
    format
    installBootLoader
    label
    partitionTableType
    ;
  inherit (config.system.build) toplevel;
} "mkdir $out; echo $toplevel > $out/nixos.img"
