# A stand-in for nixpkgs: packages are derivations that nothing builds, with
# overrideAttrs as nixpkgs has it.
{
  localSystem,
  crossSystem,
  release ? "locked by nixos-sbc",
  config ? { },
  overlays ? [ ],
}:
assert config == { } && overlays == [ ]; # the firmware has none of its own
let
  mkDerivation =
    attrs:
    derivation (
      {
        inherit release;
        system = localSystem;
        builder = "/bin/sh";
      }
      // attrs
    )
    // {
      overrideAttrs = f: mkDerivation (attrs // f attrs);
    };

  pkgs = {
    stdenv.buildPlatform.system = localSystem;
    stdenv.hostPlatform.system = crossSystem;
    buildPackages.runCommand =
      name: env: text:
      mkDerivation (
        env
        // {
          inherit name;
          buildCommand = text;
        }
      );
    fetchFromGitHub =
      {
        owner,
        repo,
        rev,
        hash,
      }:
      mkDerivation {
        name = "source";
        url = "${owner}/${repo}/${rev}";
        inherit hash;
      };
    fetchurl =
      { url, hash }:
      mkDerivation {
        name = "source";
        inherit url hash;
      };
    # Like nixpkgs', it folds extraMakeFlags into makeFlags.
    buildArmTrustedFirmware =
      { platform, extraMakeFlags }:
      mkDerivation {
        name = "arm-trusted-firmware-${platform}-${crossSystem}";
        makeFlags = [ "PLAT=${platform}" ] ++ extraMakeFlags;
      };
    buildUBoot = attrs: mkDerivation (attrs // { name = "uboot-${crossSystem}"; });
    # As callPackage makes it: what is overridden can be overridden again.
    linux =
      let
        make =
          args:
          mkDerivation (
            {
              name = "linux-${crossSystem}";
              version = "6.12";
            }
            // args.argsOverride or { }
          )
          // {
            override = new: make (args // (if builtins.isFunction new then new args else new));
          };
      in
      make { };
    linuxPackagesFor = kernel: { inherit kernel; };
    callPackage =
      file: args:
      let
        f = import file;
      in
      f (builtins.intersectAttrs (builtins.functionArgs f) (pkgs // { inherit pkgs; }) // args);
  };
in
pkgs
