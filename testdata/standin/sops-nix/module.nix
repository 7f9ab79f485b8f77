{ config, lib, ... }:
let
  # The name of the secret that an option is in.
  name = loc: lib.elemAt loc (lib.length loc - 2);
  path = dir: { _option.fallback = loc: "${dir}/${name loc}"; };
  cfg = config.sops;
  forUsers = lib.filterAttrs (_: s: s.neededForUsers) cfg.secrets;
  hostKeys =
    type:
    lib.optionals config.services.openssh.enable (
      map (k: k.path) (lib.filter (k: k.type == type) config.services.openssh.hostKeys)
    );
in
{
  options = lib.standin.declareFile ./options.json {
    sops = {
      age.sshKeyPaths._option.default = hostKeys "ed25519";
      gnupg.sshKeyPaths._option.default = hostKeys "rsa";
      validateSopsFiles._option.default = true;
      secrets."<name>" = {
        # Those for accounts are there before the accounts are made, in a folder of their own.
        path._option.fallback =
          loc:
          "/run/secrets${lib.optionalString cfg.secrets.${name loc}.neededForUsers "-for-users"}/${name loc}";
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

    assertions =
      lib.mapAttrsToList (n: secret: {
        assertion = builtins.pathExists secret.sopsFile;
        message = "sops.secrets.${n}.sopsFile does not exist";
      }) cfg.secrets
      ++ lib.optionals (cfg.secrets != { }) [
        {
          assertion =
            cfg.gnupg.home != null
            || cfg.gnupg.sshKeyPaths != [ ]
            || cfg.age.keyFile != null
            || cfg.age.sshKeyPaths != [ ];
          message = "No key source configured for sops";
        }
        {
          assertion = cfg.gnupg.home == null || cfg.gnupg.sshKeyPaths == [ ];
          message = "sops.gnupg.home and sops.gnupg.sshKeyPaths exclude each other";
        }
      ]
      ++ [
        {
          assertion = lib.all (s: s.owner == "root") (lib.attrValues forUsers);
          message = "neededForUsers cannot be used for secrets that are not root-owned";
        }
        {
          assertion =
            forUsers != { } && config.systemd.sysusers.enable -> config.users.mutableUsers;
          message = "neededForUsers needs users.mutableUsers with systemd.sysusers";
        }
      ];
  };
}
