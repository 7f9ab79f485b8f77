{ ... }: {
  services = {
    chrony.enable = true;

    # dhcp4.lan, router.hcl:38
    kea.dhcp4 = {
      enable = true;
      settings = {
        # network.lan, router.hcl:12
        interfaces = [ "lan" ];

        valid-lifetime = 3600;
      };
    };
  };
}
