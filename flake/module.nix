# nbr on the router: the program, and the spec that the router was made from.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.programs.nbr;
in
{
  options.programs.nbr = {
    enable = lib.mkEnableOption "nbr, and the router's spec in /etc/nbr/spec";

    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.nbr;
      defaultText = lib.literalExpression "nbr.packages.\${system}.nbr";
      description = "The nbr to use; one with further services comes from lib.withServices.";
    };

    spec = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = "The folder of the spec.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc = lib.mkIf (cfg.spec != null) { "nbr/spec".source = cfg.spec; };
  };
}
