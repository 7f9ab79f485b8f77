{ pkgs }:
let
  uboot = pkgs.callPackage ./uboot.nix { };
  bananaPiR3 = pkgs.callPackage ./banana-pi.nix {
    inherit uboot;
    soc = "mt7986";
    linux = pkgs.linux_6_16;
    vendor = false;
  };
  bananaPiR4 = pkgs.callPackage ./banana-pi.nix {
    inherit uboot;
    soc = "mt7988";
    linux = pkgs.linux_6_12;
    vendor = true;
  };
  plain = defconfig: uboot { inherit defconfig; };
in
{
  armTrustedFirmwareMT7986 = bananaPiR3.armTrustedFirmware;
  ubootBananaPiR3 = bananaPiR3.firmware;
  linuxPackages_latest_bananaPiR3 = bananaPiR3.kernel;

  armTrustedFirmwareMT7988 = bananaPiR4.armTrustedFirmware;
  ubootBananaPiR4 = bananaPiR4.firmware;
  linuxPackages_frankw_6_12_bananaPiR4 = bananaPiR4.kernel;
  linuxPackages_frankw_latest_bananaPiR4 = bananaPiR4.kernel;

  ubootRock64 = plain "rock64-rk3328_defconfig";
  ubootRock64v2 = plain "rock64v2-rk3328_defconfig";
  ubootRaspberryPi4 = plain "rpi_4_defconfig";
  raspberryPiFirmware = pkgs.runCommand "raspberrypi-firmware" { } ''mkdir "$out"'';
  ubootOrangePi5 = plain "orangepi-5-rk3588s_defconfig";
  ubootOrangePi5b = plain "orangepi-5b-rk3588s_defconfig";
}
