# A board: what its module sets, and its image.
{
  vendor,
  model,
  dtRoot,
  uboot,
  kernel ? null,
  onlyKernel ? false,
}:
{
  config,
  lib,
  pkgs,
  sbcPkgs,
  ...
}:
{
  sbc = {
    enable = true;
    board = {
      inherit dtRoot model vendor;
      uart.devices.uart0 = {
        status = "okay";
        baud = 115200;
        deviceName = "ttyS0";
        console = true;
      };
      rtc.devices.rtc0 = {
        status = "okay";
        enable = lib.mkDefault false;
        disableMethod.dtOverlay.enable = true;
      };
    };
  };

  boot.kernelPackages = lib.mkIf (kernel != null) (
    if onlyKernel then kernel pkgs sbcPkgs else lib.mkDefault (kernel pkgs sbcPkgs)
  );
  boot.initrd.includeDefaultModules = false;

  system.build.sdImage =
    pkgs.runCommand "nixos-sd-${vendor}-${model}"
      {
        imageName = "nixos-sd-${vendor}-${model}-v${config.sbc.version}.raw";
        rootfs = config.system.build.rootfsImage;
        uboot = uboot sbcPkgs;
      }
      ''
        mkdir -p "$out/sd-image"
        echo "$uboot" > "$out/sd-image/$imageName"
      '';
}
