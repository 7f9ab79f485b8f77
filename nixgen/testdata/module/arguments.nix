{
  config,
  lib,
  pkgs,
  modulesPath,
  zones,
  ...
}:
{
  # network.lan, router.hcl:12
  a = lib.mkDefault "x";
  b = with lib.kernel; {
    WIREGUARD = yes;
    TUN = config.f module;
  };

  # dhcp4.lan, router.hcl:38
  c =
    let
      p = pkgs;
    in
    ({ q }: "${p.jq}${q}") zones.lan;
  d = [
    (map (x: x ? option) builtins.xs)
    modulesPath
  ];
}
