{ config, lib, ... }:
let
  # The name of the secret that an option is in.
  name = loc: lib.elemAt loc (lib.length loc - 2);
in
{
  options = lib.standin.declareFile ./options.json {
    age = {
      identityPaths._option.default = [ "/etc/ssh/ssh_host_ed25519_key" ];
      secretsDir._option.default = "/run/agenix";
      secrets."<name>" = {
        name._option.fallback = name;
        path._option.fallback = loc: "${config.age.secretsDir}/${name loc}";
        owner._option.fallback = _: "0";
        mode._option.fallback = _: "0400";
      };
    };
  };

  config.assertions = lib.mapAttrsToList (n: secret: {
    assertion = builtins.pathExists secret.file;
    message = "age.secrets.${n}.file does not exist";
  }) config.age.secrets;
}
