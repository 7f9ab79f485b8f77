# A stand-in for the packages of nixos-sbc, with what makes overriding them hard:
# the set is recursive, and U-Boot's commands hold Trusted Firmware-A by its path.
{
  buildArmTrustedFirmware,
  buildUBoot,
  fetchFromGitHub,
  linux,
  linuxPackagesFor,
}:
rec {
  uboot = buildUBoot {
    postBuild = ''
      fiptool create --soc-fw ${armTrustedFirmware}/bl31.bin --nt-fw u-boot.bin fip.bin
      cp ${armTrustedFirmware}/bl2.img bl2.img
    '';
  };

  armTrustedFirmware =
    (buildArmTrustedFirmware {
      platform = "stand-in";
      extraMakeFlags = [
        "BOOT_DEVICE=sdmmc"
        "bl2"
      ];
    }).overrideAttrs
      (old: {
        version = "1";
        src = fetchFromGitHub {
          owner = "someone";
          repo = "arm-trusted-firmware";
          rev = "old";
          hash = "sha256-old";
        };
      });

  linuxPackages_board = linuxPackagesFor (
    linux.override {
      argsOverride = {
        version = "6.12.63-board";
        modDirVersion = "6.12.63-board";
        kept = "of the board";
      };
    }
  );
}
