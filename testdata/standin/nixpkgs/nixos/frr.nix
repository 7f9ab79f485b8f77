# What NixOS's module for FRR sets besides its options (nixos/modules/services/networking/frr.nix
# of 25.11): one unit, and the files below /etc/frr that it reads.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.frr;
  # Not all that it can start.
  always = [
    "mgmtd"
    "staticd"
    "zebra"
  ];
  chosen = [
    "bfdd"
    "bgpd"
    "ospfd"
    "ripd"
  ];
  enabled = lib.filter (d: cfg.${d}.enable) chosen;
  yes = lib.concatMapStringsSep "\n" (d: "${d}=${if cfg.${d}.enable then "yes" else "no"}") chosen;
in
{
  config = lib.mkIf (enabled != [ ] || cfg.configFile != null) {
    environment.etc = {
      "frr/daemons".text = ''
        ${yes}
        ${lib.concatMapStringsSep "\n" (
          d: "${d}_options=\"${lib.concatStringsSep " " (cfg.${d}.options ++ cfg.${d}.extraOptions)}\""
        ) (always ++ chosen)}
      '';
      "frr/frr.conf".source =
        if cfg.configFile == null then pkgs.writeText "frr.conf" "" else cfg.configFile;
      "frr/vtysh.conf".text = "service integrated-vtysh-config\n";
    };
    systemd.services.frr = {
      after = [
        "network-pre.target"
        "systemd-sysctl.service"
      ];
      reloadIfChanged = true;
      restartTriggers = [
        cfg.configFile
        yes
      ];
      serviceConfig = {
        ExecReload = "${pkgs.frr}/libexec/frr/frrinit.sh reload";
        ExecStart = "${pkgs.frr}/libexec/frr/frrinit.sh start";
        ExecStop = "${pkgs.frr}/libexec/frr/frrinit.sh stop";
        Restart = "always";
        Type = "forking";
      };
    };
    users.groups = {
      frr = { };
      frrvty.members = [ "frr" ];
    };
    users.users.frr = {
      group = "frr";
      isSystemUser = true;
    };
  };
}
