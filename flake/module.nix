# nbr on the router: the program, the spec that the router was made from, a look
# after each switch, and the agent that keeps looking.
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
  look = "/run/nbr-look.sock";

  nbr = lib.getExe' cfg.package "nbr";

  # What both units of the agent have in common: they change nothing.
  hardened = {
    UMask = "0077";
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    PrivateTmp = true;
    ProtectKernelTunables = true;
    ProtectKernelModules = true;
    ProtectKernelLogs = true;
    ProtectControlGroups = true;
    ProtectHostname = true;
    ProtectProc = "invisible";
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    KeyringMode = "private";
    RemoveIPC = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    # A full table of the Internet fits; what does not must not take the router with it.
    MemoryMax = "25%";
    TasksMax = 256;
  };

  # Each was taken away once, and something could not be seen any more.
  capabilities =
    passive:
    [
      "CAP_DAC_READ_SEARCH" # owner and mode of files in folders of others, their sockets
      "CAP_NET_ADMIN" # the firewall's rules, WireGuard
      "CAP_SYS_PTRACE" # which program a socket is of
    ]
    ++ lib.optionals (!passive) [
      "CAP_BPF" # a packet that arrives as if a remote host had sent it
      "CAP_NET_RAW" # a question that looks like a client's
    ];

  # What a look has, be it for the agent or after a switch. What is hidden looks as if it
  # were not there, so nothing that a spec may name is, nor is the medium with the firmware.
  looking =
    passive:
    hardened
    // {
      User = "nbr-look";
      Group = "nbr-look";
      AmbientCapabilities = capabilities passive;
      CapabilityBoundingSet = capabilities passive;
      # It lists the firewall's rules with nft, and what they should be by loading them into
      # a network namespace of its own.
      RestrictNamespaces = [
        "net"
        "user"
      ];
      ProtectHome = "read-only";
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
        "AF_UNIX"
      ]
      ++ lib.optional (!passive) "AF_PACKET";
      SystemCallFilter = [
        "@system-service"
        "~@privileged"
        "~@resources"
        # Read only: whether a program keeps the clock.
        "adjtimex"
      ]
      ++ lib.optional (!passive) "bpf";
    };
in
{
  options.programs.nbr = {
    enable = lib.mkEnableOption "nbr, and the router's spec in /etc/nbr/spec";

    package = lib.mkOption {
      type = lib.types.package;
      # With the router's own packages, so that it can be cross-compiled with them.
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
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
      description = "Whether it only looks, and sends nothing.";
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
      users.users.nbr-look = {
        isSystemUser = true;
        group = "nbr-look";
        description = "looks at the router for nbr";
      };
      users.groups.nbr-look = { };

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
        serviceConfig = looking false // {
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

      # Who serves pages need not be who may see everything. The agent itself has no
      # privilege; for each look it connects to this socket, behind which a process looks,
      # writes what it saw and ends. Nothing is read from the other side.
      systemd.sockets.nbr-look = {
        description = "Looks at the router for nbr agent";
        wantedBy = [ "sockets.target" ];
        socketConfig = {
          ListenStream = look;
          Accept = true;
          MaxConnections = 2;
          SocketUser = "nbr-agent";
          SocketGroup = "nbr-agent";
          SocketMode = "0600";
          # Looks come every few seconds when much happens, and that is no attack.
          TriggerLimitIntervalSec = 0;
        };
      };

      systemd.services."nbr-look@" = {
        description = "A look at the router";
        # One that failed is told by the agent and must not be kept.
        unitConfig.CollectMode = "inactive-or-failed";
        path = [ pkgs.nftables ];

        serviceConfig = looking agent.passive // {
          ExecStart = lib.concatStringsSep " " (
            [
              nbr
              "observe"
            ]
            ++ lib.optional agent.passive "-passive"
            ++ [ spec ]
          );
          # Not everything could be seen: the state says what, and why.
          SuccessExitStatus = 3;
          StandardInput = "socket";
          StandardOutput = "socket";
          StandardError = "null";
          # Not a line in the journal for each.
          LogLevelMax = "warning";
          TimeoutStartSec = 80;
          RuntimeMaxSec = 80;
          # Not one of its own, which would come and go with it.
          Slice = "system.slice";
        };
      };

      systemd.services.nbr-agent = {
        description = "Verify the router for as long as it runs";
        wantedBy = [ "multi-user.target" ];
        requires = [ "nbr-look.socket" ];
        after = [
          "network.target"
          "nbr-look.socket"
          "nftables.service"
        ];
        restartTriggers = [ cfg.spec ];

        serviceConfig = hardened // {
          Type = "notify-reload";
          ExecStart = lib.concatStringsSep " " (
            [
              nbr
              "agent"
              "-look"
              look
              "-interval"
              agent.interval
            ]
            ++ lib.concatMap (place: [
              "-listen"
              place
            ]) agent.listen
            ++ [ spec ]
          );
          Restart = "always";
          RestartSec = 5;
          # A look takes 80 seconds at most.
          WatchdogSec = 120;

          User = "nbr-agent";
          Group = "nbr-agent";
          RuntimeDirectory = "nbr-agent";
          RuntimeDirectoryMode = "0750";

          CapabilityBoundingSet = "";
          ProtectHome = true;
          ProtectClock = true;
          PrivateDevices = true;
          RestrictAddressFamilies = [
            "AF_INET"
            "AF_INET6"
            "AF_NETLINK"
            "AF_UNIX"
          ];
          RestrictNamespaces = true;
          SystemCallFilter = [
            "@system-service"
            "~@privileged"
            "~@resources"
          ];
        };
      };
    })
  ];
}
