{ pkgs, ... }: {
  # network.lan, router.hcl:12
  boot.kernelModules = [
    "tun"
    "wireguard"
  ];

  environment.systemPackages = [
    # network.lan, router.hcl:12
    pkgs.jq
    # dhcp4.lan, router.hcl:38
    pkgs.kea
    pkgs.tcpdump
  ];

  users = {
    groups = [
      "a"
      # network.lan, router.hcl:12
      "b"
    ];
    list = [
      "c"
      # dhcp4.lan, router.hcl:38
      "d"
    ];
  };
}
