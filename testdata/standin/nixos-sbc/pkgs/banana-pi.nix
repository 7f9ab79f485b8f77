# A Banana Pi router. The set is recursive, which is the trap: U-Boot's
# commands hold the path of this Trusted Firmware-A, whatever replaces it in a
# set around.
{
  armTrustedFirmwareTools,
  buildArmTrustedFirmware,
  dtc,
  fetchFromGitHub,
  lib,
  linuxKernel,
  linux,
  python3,
  soc,
  uboot,
  ubootTools,
  vendor,
  which,
}:
rec {
  firmware = uboot {
    defconfig = "${soc}_sd_rfb_defconfig";
    extraNativeBuildInputs = [ armTrustedFirmwareTools ];
    postBuild = ''
      fiptool create --soc-fw ${armTrustedFirmware}/bl31.bin --nt-fw u-boot.bin fip.bin
      cp ${armTrustedFirmware}/bl2.img bl2.img
    '';
    filesToInstall = [
      "bl2.img"
      "fip.bin"
    ];
  };

  armTrustedFirmware =
    (buildArmTrustedFirmware {
      platform = soc;
      extraMakeFlags = [
        "USE_MKIMAGE=1"
        "BOOT_DEVICE=sdmmc"
        "bl2"
        "bl31"
      ];
    }).overrideAttrs
      (old: {
        version = "2.12.0-mtk";
        src = fetchFromGitHub {
          owner = "mtk-openwrt";
          repo = "arm-trusted-firmware";
          rev = "e090770684e775711a624e68e0b28112227a4c38";
          hash = lib.fakeHash;
        };
        nativeBuildInputs = old.nativeBuildInputs ++ [
          dtc
          ubootTools
          which
          python3
        ];
      });

  kernel = linuxKernel.packagesFor (
    linux.override {
      autoModules = false;
      ignoreConfigErrors = true;
      structuredExtraConfig = with lib.kernel; {
        BTRFS_FS = module;
        NF_TABLES = yes;
        SOUND = no;
      };
      argsOverride = lib.optionalAttrs vendor rec {
        version = "6.12.63-bpi-r4";
        modDirVersion = version;
      };
      extraMeta.vendorKernel = vendor;
    }
  );
}
