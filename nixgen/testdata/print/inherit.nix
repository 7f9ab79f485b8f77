{
  inherit modules;

  one = { inherit (inputs) nixos-sbc; };

  several = {
    inherit (inputs) a;
    inherit (inputs.b) c;
    b = inputs.a;
    x.y = x;
  };

  "let" =
    let
      b = a.b;
    in
    [
      ../nbr/kernel.nix
      ../../x.nix
    ];
}
