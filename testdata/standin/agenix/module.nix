{ config, lib, ... }:
let
  # The name of the secret that an option is in.
  name = loc: lib.elemAt loc (lib.length loc - 2);
in
{
  options = lib.standin.declareFile ./options.json {
    age = {
      identityPaths._option.default = lib.optionals config.services.openssh.enable (
        map (k: k.path) (
          lib.filter (k: k.type == "rsa" || k.type == "ed25519") config.services.openssh.hostKeys
        )
      );
      secretsDir._option.default = "/run/agenix";
      secrets."<name>" = {
        name._option.fallback = name;
        path._option.fallback = loc: "${config.age.secretsDir}/${name loc}";
        owner._option.fallback = _: "0";
        mode._option.fallback = _: "0400";
      };
    };
  };

  config.assertions =
    lib.mapAttrsToList (n: secret: {
      assertion = builtins.pathExists secret.file;
      message = "age.secrets.${n}.file does not exist";
    }) config.age.secrets
    ++ lib.optional (config.age.secrets != { }) {
      assertion = config.age.identityPaths != [ ];
      message = "age.identityPaths must be set, for example by enabling openssh";
    };
}
