{ config, lib, ... }:
let
  # The name of the secret that an option is in.
  name = loc: lib.elemAt loc (lib.length loc - 2);
  path = dir: { _option.fallback = loc: "${dir}/${name loc}"; };
in
{
  options = lib.standin.declareFile ./options.json {
    sops = {
      secrets."<name>" = {
        path = path "/run/secrets";
        name._option.fallback = name;
        key._option.fallback = name;
        owner._option.fallback = _: "root";
        mode._option.fallback = _: "0400";
        sopsFile._option.fallback =
          loc:
          config.sops.defaultSopsFile
            or (throw "${lib.showOption loc} is not set, nor is sops.defaultSopsFile");
      };
      templates."<name>" = {
        path = path "/run/secrets/rendered";
        name._option.fallback = name;
        owner._option.fallback = _: "root";
        mode._option.fallback = _: "0400";
      };
    };
  };

  config = {
    sops.placeholder = lib.mapAttrs (
      n: _: lib.mkDefault "<SOPS:${builtins.hashString "sha256" n}:PLACEHOLDER>"
    ) config.sops.secrets;

    assertions = lib.mapAttrsToList (n: secret: {
      assertion = builtins.pathExists secret.sopsFile;
      message = "sops.secrets.${n}.sopsFile does not exist";
    }) config.sops.secrets;
  };
}
