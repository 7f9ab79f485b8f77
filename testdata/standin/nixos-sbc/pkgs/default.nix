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
  # Rockchip's newest start with what is not free: a TF-A with a blob in it, and the
  # maker's own setup of the memory.
  rk3588 =
    defconfig:
    uboot {
      inherit defconfig;
      BL31 = "${pkgs.armTrustedFirmwareRK3588}/bl31.elf";
      ROCKCHIP_TPL = "${pkgs.rkbin}/rk3588_ddr.bin";
    };
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
  ubootOrangePi5 = rk3588 "orangepi-5-rk3588s_defconfig";
  ubootOrangePi5b = rk3588 "orangepi-5b-rk3588s_defconfig";
}
