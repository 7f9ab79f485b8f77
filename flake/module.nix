# nbr on the router: the program, the spec that the router was made from, a look
# after each switch, and the agent that keeps looking.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.nbr;
  agent = config.services.nbr-agent;

  spec = "/etc/nbr/spec";

  nbr = lib.getExe' cfg.package "nbr";

  # Each was taken away once, and something could not be seen any more.
  capabilities = [
    "CAP_DAC_READ_SEARCH" # owner and mode of files in folders of others
    "CAP_NET_ADMIN" # the firewall's rules, events of it, WireGuard
    "CAP_NET_RAW" # a question that looks like a client's
    "CAP_SYS_PTRACE" # which program a socket is of
  ];
in
{
  options.programs.nbr = {
    enable = lib.mkEnableOption "nbr, and the router's spec in /etc/nbr/spec";

    package = lib.mkOption {
      type = lib.types.package;
      # With the router's own packages, so that it can be cross-compiled with them.
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage \${nbr}/flake/package.nix { }";
      description = "The nbr to use; one with further services comes from lib.withServices.";
    };

    spec = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "The folder of the spec.";
    };
  };

  options.services.nbr-agent = {
    enable = lib.mkEnableOption "the agent that verifies the router for as long as it runs";

    interval = lib.mkOption {
      type = lib.types.str;
      default = "60s";
      description = "Time between two looks when nothing happens.";
    };

    listen = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ "unix:/run/nbr-agent/metrics.sock" ];
      description = "Where metrics, health and the last report are served: unix:PATH, or an address and a port.";
    };

    passive = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether it only looks, and asks nobody anything.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable {
      environment.systemPackages = [ cfg.package ];
      environment.etc = lib.mkIf (cfg.spec != null) { "nbr/spec".source = cfg.spec; };
    })

    # Each switch starts what multi-user.target wants and what is not active, so this
    # runs after each. What it finds is in the journal and no reason to call the switch
    # failed: 1 is a check that fails, 2 a spec that this nbr cannot read, 3 something
    # that could not be looked at.
    (lib.mkIf (cfg.enable && cfg.spec != null) {
      systemd.services.nbr-verify = {
        description = "Verify the router against its spec";
        wantedBy = [ "multi-user.target" ];
        wants = [ "network-online.target" ];
        after = [
          "network.target"
          "network-online.target"
          "nftables.service"
        ];
        restartTriggers = [
          cfg.spec
          cfg.package
        ];
        path = [ pkgs.nftables ];
        serviceConfig = {
          Type = "oneshot";
          ExecStart = "${nbr} verify -settle 30s ${spec}";
          SuccessExitStatus = [
            1
            2
            3
          ];
          TimeoutStartSec = "2min";
        };
      };
    })

    (lib.mkIf agent.enable {
      assertions = [
        {
          assertion = cfg.enable && cfg.spec != null;
          message = "services.nbr-agent verifies the router against programs.nbr.spec, so programs.nbr.enable and programs.nbr.spec must be set";
        }
      ];

      users.users.nbr-agent = {
        isSystemUser = true;
        group = "nbr-agent";
        description = "nbr agent";
      };
      users.groups.nbr-agent = { };

      systemd.services.nbr-agent = {
        description = "Verify the router for as long as it runs";
        wantedBy = [ "multi-user.target" ];
        after = [
          "network.target"
          "nftables.service"
        ];
        restartTriggers = [ cfg.spec ];
        # It lists the firewall's rules with nft, and what they should be by loading them
        # into a network namespace that nobody else is in.
        path = [ pkgs.nftables ];

        serviceConfig = {
          Type = "notify-reload";
          ExecStart = lib.concatStringsSep " " (
            [
              nbr
              "agent"
              "-interval"
              agent.interval
            ]
            ++ lib.concatMap (place: [
              "-listen"
              place
            ]) agent.listen
            ++ lib.optional agent.passive "-passive"
            ++ [ spec ]
          );
          Restart = "always";
          RestartSec = 5;
          # A look takes ten seconds at most.
          WatchdogSec = 60;

          User = "nbr-agent";
          Group = "nbr-agent";
          UMask = "0077";
          RuntimeDirectory = "nbr-agent";
          RuntimeDirectoryMode = "0750";

          AmbientCapabilities = capabilities;
          CapabilityBoundingSet = capabilities;
          NoNewPrivileges = true;

          # It has to see the machine and must not change it. What is hidden from it looks
          # as if it were not there, so nothing that a spec may name is.
          ProtectSystem = "strict";
          ProtectHome = "read-only";
          PrivateTmp = true;
          ProtectKernelTunables = true;
          ProtectKernelModules = true;
          ProtectKernelLogs = true;
          ProtectControlGroups = true;
          ProtectHostname = true;
          # The boot medium's firmware.
          DevicePolicy = "closed";
          DeviceAllow = [
            "block-mmc r"
            "block-mtdblock r"
            "char-mtd r"
          ];

          RestrictAddressFamilies = [
            "AF_INET"
            "AF_INET6"
            "AF_NETLINK"
            "AF_PACKET"
            "AF_UNIX"
          ];
          RestrictNamespaces = [
            "net"
            "user"
          ];
          RestrictRealtime = true;
          RestrictSUIDSGID = true;
          LockPersonality = true;
          MemoryDenyWriteExecute = true;
          KeyringMode = "private";
          RemoveIPC = true;
          SystemCallArchitectures = "native";
          SystemCallErrorNumber = "EPERM";
          SystemCallFilter = [
            "@system-service"
            "~@privileged"
            "~@resources"
            # Read only: whether somebody keeps the clock.
            "adjtimex"
          ];
        };
      };
    })
  ];
}
