# What NixOS's module for hostapd asserts of its radios and networks
# (nixos/modules/services/networking/hostapd.nix of 2026).
{ config, lib, ... }:
let
  radios = if config.services.hostapd.enable then config.services.hostapd.radios else { };
  given = n: name: n.authentication.${name} or null != null;
  counted = n: lib.length (lib.filter (given n) [ "wpaPassword" "wpaPasswordFile" "wpaPskFile" ]);
  sae = n: n.authentication.saePasswords or [ ] != [ ] || given n "saePasswordsFile";

  ofNetwork = radio: all: name: n: [
    {
      assertion = lib.hasPrefix radio name;
      message = "hostapd radio ${radio} bss ${name}: a network begins with the name of its radio";
    }
    {
      assertion = lib.length (lib.attrNames all) > 1 -> n.bssid or null != null;
      message = "hostapd radio ${radio} bss ${name}: each of several networks has a bssid";
    }
    {
      assertion = n.authentication.mode == "wpa3-sae" -> sae n;
      message = "hostapd radio ${radio} bss ${name}: SAE has a password";
    }
    {
      assertion = n.authentication.mode == "wpa3-sae-transition" -> sae n && counted n == 1;
      message = "hostapd radio ${radio} bss ${name}: the transition has both passwords";
    }
    {
      assertion = n.authentication.mode == "wpa2-sha256" -> counted n == 1;
      message = "hostapd radio ${radio} bss ${name}: WPA2 has one password";
    }
  ];

  ofRadio = radio: r: [
    {
      assertion = r.networks ? ${radio};
      message = "hostapd radio ${radio}: one network has the name of the radio";
    }
    {
      assertion = lib.elem "HT40-" (r.wifi4.capabilities or [ ]) -> r.channel != 0;
      message = "hostapd radio ${radio}: HT40- wants a channel";
    }
  ]
  ++ lib.concatLists (lib.mapAttrsToList (ofNetwork radio r.networks) r.networks);
in
{
  config.assertions = lib.concatLists (lib.mapAttrsToList ofRadio radios);
}
