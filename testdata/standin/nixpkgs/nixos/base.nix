# What every NixOS has: the options of the table, pkgs, and a system whose
# evaluation looks at everything that is set.
{
  config,
  lib,
  options,
  ...
}:
let
  cfg = config.nixpkgs;
  default = x: { _option.default = x; };

  # A setting of a unit: one value, or a list of all if a definition is a list. That a set has
  # no text NixOS finds when it writes the unit.
  unitOption = lib.mkOptionType {
    name = "systemd option";
    check = v: !(lib.isAttrs v) || lib.isStringLike v;
    merge =
      loc: defs:
      if lib.any (d: lib.isList d.value) defs then
        lib.concatMap (d: lib.toList d.value) defs
      else
        lib.types.anything.merge loc defs;
  };

  # hostPlatform is the modern way to say it, system the one of old flakes.
  host =
    if options.nixpkgs.hostPlatform.isDefined then
      cfg.hostPlatform
    else if options.nixpkgs.system.isDefined then
      cfg.system
    else
      throw "Neither nixpkgs.hostPlatform nor the argument system of nixosSystem is set.";
  build = if options.nixpkgs.buildPlatform.isDefined then cfg.buildPlatform else host;

  pkgs = import ../. {
    localSystem = build;
    crossSystem = host;
    inherit (cfg) overlays;
    config = if options.nixpkgs.config.isDefined then cfg.config else { };
  };

  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);

  kernelPackages = config.boot.kernelPackages;
in
{
  options = lib.standin.declareFile ../options.json {
    boot.kernelPackages._option = {
      default = pkgs.linuxPackages;
      apply =
        k:
        k.extend (
          _: prev: {
            kernel = prev.kernel.override (old: {
              kernelPatches = old.kernelPatches or [ ] ++ config.boot.kernelPatches;
            });
          }
        );
    };
    # The defaults that modules of a router read.
    networking = {
      hostName = default "nixos";
      useDHCP = default true;
    };
    system = {
      name = default config.networking.hostName;
      stateVersion = default lib.release;
      nixos.release = default lib.release;
      nixos.version = default lib.release;
    };
    boot.loader.generic-extlinux-compatible.populateCmd = default "populate";
    # Read by the assertions below. Until 25.11 resolvconf left a file that is set alone.
    networking.resolvconf.enable = default (
      lib.versionAtLeast lib.release "26.05" || !(config.environment.etc ? "resolv.conf")
    );
    services.chrony.enableRTCTrimming = default true;
    services.chrony.extraConfig = default "";
    services.openssh.hostKeys = default [
      {
        type = "rsa";
        path = "/etc/ssh/ssh_host_rsa_key";
      }
      {
        type = "ed25519";
        path = "/etc/ssh/ssh_host_ed25519_key";
      }
    ];
    services.freeradius.package = default pkgs.freeradius;
    services.hostapd.radios = default { };
    services.radvd = {
      debugLevel = default 0;
      package = default pkgs.radvd;
    };
    services.strongswan-swanctl.package = default pkgs.strongswan;
    services.suricata = {
      configFile = default "/nix/store/suricata.yaml";
      package = default pkgs.suricata;
    };
    services.frr = lib.genAttrs [ "bgpd" "mgmtd" "ospfd" "staticd" ] (_: {
      options = default [ "-A 127.0.0.1" ];
    }) // {
      zebra.options = default [ "-A 127.0.0.1 -s 90000000" ];
    };
    systemd.services."<name>".serviceConfig._option.type = lib.types.attrsOf unitOption;
    users.mutableUsers = default true;
    users.users."<name>".name._option.fallback = loc: lib.elemAt loc (lib.length loc - 2);
    users.users."<name>".home._option.fallback = _: "/var/empty";
    users.defaultUserShell = default "/run/current-system/sw/bin/bash";
  };

  config = {
    _module.args.pkgs = lib.mkOptionDefault pkgs;

    # Asserted by the modules of the same names.
    assertions = [
      {
        assertion = config.networking.ifstate.enable -> !config.networking.useDHCP;
        message = "networking.ifstate and networking.useDHCP exclude each other";
      }
      {
        assertion = config.networking.ifstate.enable -> !config.networking.networkmanager.enable;
        message = "networking.ifstate and networking.networkmanager exclude each other";
      }
      {
        assertion =
          config.services.kea.dhcp4.enable
          -> (config.services.kea.dhcp4.settings == null) != (config.services.kea.dhcp4.configFile == null);
        message = "services.kea.dhcp4 wants either settings or configFile";
      }
      {
        assertion = config.services.miniupnpd.enable -> config.networking.nftables.enable;
        message = "services.miniupnpd wants networking.nftables";
      }
      {
        assertion = config.networking.resolvconf.enable -> !(config.environment.etc ? "resolv.conf");
        message = ''environment.etc."resolv.conf" and networking.resolvconf exclude each other'';
      }
      {
        assertion =
          config.services.chrony.enable && config.services.chrony.enableRTCTrimming
          -> !lib.any (line: builtins.match "^ *rtcsync" line != null) (
            lib.splitString "\n" config.services.chrony.extraConfig
          );
        message = "services.chrony.enableRTCTrimming conflicts with rtcsync in services.chrony.extraConfig";
      }
      {
        assertion =
          !config.services.openssh.enable
          || lib.all (names: lib.length names == 1) (
            lib.attrValues (lib.groupBy lib.toLower (lib.attrNames config.services.openssh.settings))
          );
        message = "Duplicate sshd config key; does your capitalization match the option's?";
      }
      {
        assertion =
          config.services.openssh.enable
          -> lib.all (l: l.addr != null) config.services.openssh.listenAddresses;
        message = "addr must be specified in each listenAddresses entry";
      }
    ];

    system.build.toplevel =
      if failed != [ ] then
        throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (m: "- ${m}") failed}"
      else
        lib.showWarnings config.warnings (
          pkgs.buildPackages.runCommand "nixos-system-${config.system.name}"
            {
              # system.build has this derivation in it, and the kernel's packages
              # more than a system needs.
              settings = builtins.toJSON (
                lib.renderOptions (
                  options
                  // {
                    _module = { };
                    boot = removeAttrs options.boot [ "kernelPackages" ];
                    system = removeAttrs options.system [ "build" ];
                  }
                )
              );
              inherit (config.system) checks;
              kernel = kernelPackages.kernel;
              kernelConfig = kernelPackages.kernel.configfile;
              passAsFile = [ "settings" ];
            }
            ''
              cp "$settingsPath" "$out"
            ''
        );
  };
}
