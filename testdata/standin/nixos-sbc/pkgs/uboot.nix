# U-Boot with the settings that all boards share. It adds to phases that
# buildUBoot has already written, as nixos-sbc does.
{ buildUBoot, lib }:
args:
(buildUBoot (
  removeAttrs args [ "extraNativeBuildInputs" ]
  // {
    extraConfig = ''
      CONFIG_BOOTCOMMAND="bootflow scan -lb"
    ''
    + args.extraConfig or "";
  }
)).overrideAttrs
  (old: {
    nativeBuildInputs = old.nativeBuildInputs ++ args.extraNativeBuildInputs or [ ];
    configurePhase = lib.concatStrings [
      "touch localversion\n"
      old.configurePhase
    ];
  })
