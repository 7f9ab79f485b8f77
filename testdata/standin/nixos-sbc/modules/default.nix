{
  default = ./sbc.nix;
  cache = ./cache.nix;

  boards = {
    bananapi = {
      bpir3 = import ./board.nix {
        vendor = "BananaPi";
        model = "BPiR3";
        dtRoot = "mediatek,mt7986a";
        uboot = p: p.ubootBananaPiR3;
        kernel = _: p: p.linuxPackages_latest_bananaPiR3;
      };
      bpir4 = import ./board.nix {
        vendor = "BananaPi";
        model = "BPiR4";
        dtRoot = "mediatek,mt7988a";
        uboot = p: p.ubootBananaPiR4;
        kernel = _: p: p.linuxPackages_frankw_latest_bananaPiR4;
        # The board's only kernel, so that it is set without mkDefault.
        onlyKernel = true;
      };
    };
    pine64 =
      let
        rock64 = hardwareRevision: uboot: {
          imports = [
            (import ./board.nix {
              vendor = "Pine64";
              model = "Rock64";
              dtRoot = "rockchip,rk3328";
              inherit uboot;
            })
          ];
          config =
            if hardwareRevision == null then
              { }
            else
              {
                sbc.board.pine64.rock64 = { inherit hardwareRevision; };
              };
        };
      in
      {
        rock64 = rock64 null (p: p.ubootRock64);
        rock64v2 = rock64 "v2" (p: p.ubootRock64v2);
        rock64v3 = rock64 "v3" (p: p.ubootRock64);
      };
    raspberrypi.rpi4 = import ./board.nix {
      vendor = "RaspberryPi";
      model = "rpi4";
      dtRoot = "brcm,bcm2711";
      uboot = p: p.ubootRaspberryPi4;
    };
    xunlong =
      let
        opi5 = hardwareVariant: uboot: {
          imports = [
            (import ./board.nix {
              vendor = "xunlong";
              model = "OrangePi5";
              dtRoot = "xunlong,orangepi-5";
              kernel = pkgs: _: pkgs.linuxPackages_6_16;
              onlyKernel = true;
              inherit uboot;
            })
          ];
          config.sbc.board.xunlong.opi5 = { inherit hardwareVariant; };
        };
      in
      {
        opi5 = opi5 "standard" (p: p.ubootOrangePi5);
        opi5b = opi5 "b" (p: p.ubootOrangePi5b);
      };
  };
}
