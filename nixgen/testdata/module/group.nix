{ ... }: {
  boot = {
    kernel.sysctl = {
      "net.ipv4.ip_forward" = 1;
      "net.ipv6.conf.all.forwarding" = 1;
    };
    kernelModules = true;
  };

  networking = {
    # network.lan, router.hcl:12
    hostName = "x";

    ifstate.enable = true;
    useDHCP = false;
  };
}
