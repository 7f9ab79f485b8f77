{ pkgs, ... }: {
  a = pkgs: pkgs: pkgs.a;
  inherit (pkgs) b;
}
