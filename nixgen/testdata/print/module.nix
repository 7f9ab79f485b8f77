{ lib, pkgs, ... }: { a = lib.mkForce pkgs.jq; }
