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
  options.nbr.kernel.required = lib.mkOption {
    type = lib.types.attrsOf lib.types.singleLineStr;
    default = { };
    example = {
      WIREGUARD = "WireGuard (wireguard.wg0, router.hcl:64)";
    };
    description = "Options that the kernel must have, built in or as modules, and who needs them.";
  };

  config.system.checks = lib.optional (cfg.required != { }) check;
}
