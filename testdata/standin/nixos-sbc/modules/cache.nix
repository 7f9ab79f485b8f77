{
  nix.settings = {
    substituters = [ "https://nixos-sbc.cachix.org/" ];
    trusted-public-keys = [
      "nixos-sbc.cachix.org-1:XMK0HnQmmGIt1lYy1y+JsxLpHVaSTRRWvd6T6cU+I2M="
    ];
  };
}
