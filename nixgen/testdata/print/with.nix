{
  config = with lib.kernel; {
    WIREGUARD = yes;
    TUN = module;
  };

  packages = with pkgs; [
    jq
    kea
  ];

  plain = with lib; mkForce;
  argument = f (with lib; { a = 1; });
}
