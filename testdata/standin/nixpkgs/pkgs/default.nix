# All packages, as the function of their own result.
{
  buildPackages,
  buildPlatform,
  config,
  hostPlatform,
  lib,
  path,
}:
final:
let
  # derivation takes texts, numbers and lists of them; the rest of a recipe is
  # for Nix code only.
  isEnv =
    v:
    v == null
    || builtins.isString v
    || builtins.isPath v
    || builtins.isInt v
    || builtins.isBool v
    || v ? outPath
    || builtins.isList v && lib.all isEnv v;

  cross = lib.optionalString (buildPlatform.system != hostPlatform.system) "-${hostPlatform.config}";

  mkDerivation =
    recipe:
    let
      attrs = if lib.isFunction recipe then lib.fix recipe else recipe;
      name = if attrs ? pname then "${attrs.pname}${cross}-${attrs.version or "0"}" else attrs.name;
      env = lib.filterAttrs (_: isEnv) (
        removeAttrs attrs [
          "meta"
          "name"
          "passthru"
          "system"
        ]
      );
      drv = derivation (
        env
        // {
          inherit name;
          nixpkgs = lib.release;
          system = buildPlatform.system;
          builder = "/bin/sh";
          args = [
            "-e"
            "-c"
            ''PATH=/usr/bin:/bin; eval "''${buildCommand:-: > "$out"}"''
          ];
        }
      );

      # What is not free is refused unless the configuration of this nixpkgs allows it.
      refused =
        lib.any (l: !(l.free or true)) (lib.toList (attrs.meta.license or [ ]))
        && !(config.allowUnfree or false)
        && !(config.allowUnfreePredicate or (_: false) attrs);
    in
    if refused then
      throw "Package ‘${name}’ has an unfree license, refusing to evaluate."
    else
    attrs
    // drv
    // attrs.passthru or { }
    // {
      inherit name;
      version = attrs.version or "0";
      meta = {
        mainProgram = attrs.pname or name;
      }
      // attrs.meta or { };
      overrideAttrs =
        f:
        mkDerivation (
          final':
          let
            prev = if lib.isFunction recipe then recipe final' else recipe;
            more =
              if !lib.isFunction f then
                f
              else if lib.isFunction (f prev) then
                f final' prev
              else
                f prev;
          in
          prev // more
        );
    };

  stub =
    pname:
    lib.makeOverridable mkDerivation {
      inherit pname;
      version = "1.0";
    };

  fetch =
    args:
    mkDerivation (
      {
        name = "source";
        inherit (args) hash;
      }
      // builtins.removeAttrs args [ "name" ]
    );

  text =
    name: content:
    mkDerivation {
      inherit name;
      text = content;
      passAsFile = [ "text" ];
      buildCommand = ''cat "$textPath" > "$out"'';
    };

  runCommand =
    name: env: buildCommand:
    mkDerivation (env // { inherit name buildCommand; });

  # A kernel's options come from its own recipe and from kernelPatches, merged as
  # options are: two answers to one question are a conflict.
  answer = lib.types.mkOptionType { name = "kernel option"; };
  kernelConfig =
    modules:
    (lib.evalModules {
      modules = [
        { freeformType = lib.types.attrsOf answer; }
      ]
      ++ map (config: { inherit config; }) modules;
    }).config;

  kernel = lib.makeOverridable (
    {
      version,
      structuredExtraConfig ? { },
      kernelPatches ? [ ],
      argsOverride ? { },
      extraMeta ? { },
      ...
    }@args:
    let
      answers = kernelConfig (
        [ structuredExtraConfig ] ++ map (p: p.structuredExtraConfig or { }) kernelPatches
      );
      configfile = text "linux-config" (
        lib.concatStrings (
          lib.mapAttrsToList (
            symbol: a:
            if a ? freeform then
              "CONFIG_${symbol}=${a.freeform}\n"
            else if a.tristate == "n" || a.tristate == null then
              "# CONFIG_${symbol} is not set\n"
            else
              "CONFIG_${symbol}=${a.tristate}\n"
          ) answers
        )
      );
    in
    mkDerivation (
      {
        pname = "linux";
        inherit version configfile;
        patches = lib.filter (p: p != null) (map (p: p.patch or null) kernelPatches);
        passthru = {
          inherit configfile extraMeta kernelPatches;
          structuredExtraConfig = answers;
          modDirVersion = args.argsOverride.modDirVersion or version;
        };
      }
      // argsOverride
    )
  );

  # A series that is no longer supported leaves nixpkgs, so that a board which
  # wants it needs the nixpkgs of its time.
  series =
    {
      "25.11" = {
        default = "6_12";
        latest = "6_18";
      };
      "26.05" = {
        default = "6_18";
        latest = "6_18";
      };
      "26.11" = {
        default = "6_18";
        latest = "6_18";
      };
    }
    .${lib.release} or {
      default = "6_12";
      latest = "6_16";
    };
  versions = {
    "6_12" = "6.12.63";
    "6_16" = "6.16.12";
    "6_18" = "6.18.9";
  };
  kernels =
    lib.genAttrs' [ "6_12" series.latest ] (s: {
      name = "linux_${s}";
      value = kernel { version = versions.${s}; };
    })
    // {
      linux_default = kernels."linux_${series.default}";
      linux_latest = kernels."linux_${series.latest}";
    };
  kernelPackages = lib.mapAttrs' (name: kernel: {
    name = "linuxPackages" + lib.removePrefix "linux" name;
    value = packagesFor kernel;
  }) kernels;

  packagesFor =
    kernel:
    lib.makeExtensible (
      self:
      {
        inherit kernel;
      }
      // lib.genAttrs [ "jool" "wireguard" ] (
        name:
        mkDerivation {
          pname = name;
          inherit (self) kernel;
        }
      )
    );

  names = lib.filter (n: n != "") (lib.splitString "\n" (builtins.readFile ./names.txt));
in
lib.genAttrs names stub
// kernels
// kernelPackages
// {
  inherit
    buildPackages
    config
    lib
    path
    runCommand
    ;
  pkgs = final;
  system = hostPlatform.system;
  targetPackages = final;
  pkgsBuildBuild = buildPackages;
  pkgsBuildHost = buildPackages;

  callPackage = lib.callPackageWith final;
  callPackages = lib.callPackageWith final;
  newScope = extra: lib.callPackageWith (final // extra);

  stdenv = {
    inherit buildPlatform hostPlatform mkDerivation;
    targetPlatform = hostPlatform;
    system = hostPlatform.system;
    cc = stub "gcc-wrapper";
    isLinux = hostPlatform.isLinux;
    isDarwin = hostPlatform.isDarwin;
    isAarch64 = hostPlatform.isAarch64;
    isx86_64 = hostPlatform.isx86_64;
  };
  stdenvNoCC = final.stdenv;

  fetchFromGitHub = fetch;
  fetchFromGitLab = fetch;
  fetchgit = fetch;
  fetchpatch = fetch;
  fetchpatch2 = fetch;
  fetchurl = fetch;
  fetchzip = fetch;

  runCommandLocal = runCommand;
  runCommandNoCC = runCommand;
  runCommandCC = runCommand;
  applyPatches = args: mkDerivation ({ name = "patched"; } // args);
  buildEnv = args: mkDerivation args;
  symlinkJoin = args: mkDerivation args;
  linkFarm =
    name: entries:
    mkDerivation {
      inherit name;
      entries = map (e: e.path) entries;
    };
  writeText = text;
  writeScript = text;
  writeShellScript = text;
  writeScriptBin = text;
  writeShellScriptBin = text;
  writeTextFile =
    {
      name,
      text,
      ...
    }:
    final.writeText name text;
  writeTextDir = name: final.writeText (baseNameOf name);
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      ...
    }:
    mkDerivation {
      pname = name;
      inherit runtimeInputs text;
    };
  formats =
    lib.genAttrs
      [
        "ini"
        "iniWithGlobalSection"
        "json"
        "keyValue"
        "toml"
        "yaml"
        "yaml_1_1"
      ]
      (
        _: _: {
          type = lib.types.attrsOf lib.types.anything;
          generate = name: value: text name (builtins.toJSON value);
        }
      );

  buildGoModule = mkDerivation;
  mkShell = args: mkDerivation ({ name = "nix-shell"; } // args);
  mkShellNoCC = args: mkDerivation ({ name = "nix-shell"; } // args);
  python3 = stub "python3" // {
    withPackages =
      f:
      mkDerivation {
        pname = "python3-env";
        packages = f (lib.genAttrs names stub);
      };
    pkgs = lib.genAttrs names stub;
  };

  linuxPackages = kernelPackages.linuxPackages_default;
  linuxPackagesFor = packagesFor;
  linuxKernel = {
    inherit kernels packagesFor;
    packages = kernelPackages;
  };

  # Both put their extra flags where nixpkgs does, before overrideAttrs sees
  # them.
  buildArmTrustedFirmware =
    {
      platform,
      extraMakeFlags ? [ ],
      extraMeta ? { },
      ...
    }@args:
    mkDerivation (
      {
        pname = "arm-trusted-firmware-${platform}";
        version = "2.13.0";
        src = fetch { hash = lib.fakeHash; };
        nativeBuildInputs = [ ];
        makeFlags = [ "PLAT=${platform}" ] ++ extraMakeFlags;
        meta = extraMeta;
      }
      // builtins.removeAttrs args [
        "extraMakeFlags"
        "extraMeta"
      ]
    );
  armTrustedFirmwareRK3588 = final.buildArmTrustedFirmware {
    platform = "rk3588";
    extraMeta.license = [
      lib.licenses.bsd3
      lib.licenses.unfreeRedistributable
    ];
  };
  rkbin = mkDerivation {
    pname = "rkbin";
    meta.license = lib.licenses.unfreeRedistributable;
  };
  buildUBoot =
    {
      defconfig,
      extraMakeFlags ? [ ],
      extraMeta ? { },
      ...
    }@args:
    mkDerivation (
      {
        pname = "uboot-${defconfig}";
        version = "2025.07";
        src = fetch { hash = lib.fakeHash; };
        nativeBuildInputs = [ ];
        patches = [ ];
        postPatch = "";
        configurePhase = "make ${defconfig}\n";
        makeFlags = [ "DTC=dtc" ] ++ extraMakeFlags;
        meta = extraMeta;
      }
      // builtins.removeAttrs args [
        "extraMakeFlags"
        "extraMeta"
      ]
    );
}
