# Makes sure that the kernel has what the spec needs. nixpkgs drops options that
# a kernel does not know, without a word, so the finished configuration is looked
# at while the system is built.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.nbr.kernel;

  # A line an option: its symbol, and who needs it.
  required = lib.concatStrings (
    lib.mapAttrsToList (symbol: reason: "${symbol} ${reason}\n") cfg.required
  );

  check =
    pkgs.buildPackages.runCommand "nbr-kernel-options"
      {
        inherit required;
        inherit (config.boot.kernelPackages.kernel) configfile;
        passAsFile = [ "required" ];
      }
      ''
        missing=
        while read -r symbol reason; do
          if ! grep -q "^CONFIG_$symbol=[my]$" "$configfile"; then
            echo "The kernel lacks CONFIG_$symbol, needed for $reason." >&2
            missing=1
          fi
        done < "$requiredPath"
        test -z "$missing"
        touch "$out"
      '';
in
{
  options.nbr.kernel = {
    required = lib.mkOption {
      type = lib.types.attrsOf lib.types.singleLineStr;
      default = { };
      example = {
        WIREGUARD = "WireGuard (wireguard.wg0, router.hcl:64)";
      };
      description = "Options that the kernel must have, built in or as modules, and who needs them.";
    };

    nixpkgs = lib.mkOption {
      type = lib.types.enum [
        "release"
        "nixos-sbc"
      ];
      default = "release";
      description = ''
        The nixpkgs that the kernels of nixos-sbc are built with: the router's
        own or, for series that it has dropped, the one that nixos-sbc locks.
      '';
    };

    source = lib.mkOption {
      type = lib.types.nullOr (
        lib.types.submodule {
          options = {
            package = lib.mkOption {
              type = lib.types.str;
              example = "linuxPackages_frankw_latest_bananaPiR4";
              description = "The kernel to build, by its attribute in nixos-sbc's packages.";
            };
            version = lib.mkOption {
              type = lib.types.str;
              example = "6.12.63-bpi-r4";
              description = "The version as uname -r prints it.";
            };
            owner = lib.mkOption {
              type = lib.types.str;
              example = "frank-w";
              description = "The owner of the repository on GitHub.";
            };
            repo = lib.mkOption {
              type = lib.types.str;
              example = "BPI-Router-Linux";
              description = "The repository on GitHub.";
            };
            rev = lib.mkOption {
              type = lib.types.str;
              description = "The revision of the repository.";
            };
            hash = lib.mkOption {
              type = lib.types.str;
              description = "The hash of the source at this revision.";
            };
          };
        }
      );
      default = null;
      description = "The source of the kernel; null takes the one that nixos-sbc builds.";
    };
  };

  config.system.checks = lib.optional (cfg.required != { }) check;
}
