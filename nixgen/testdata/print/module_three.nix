{
  config,
  lib,
  pkgs,
  ...
}:
{
  a = 1;

  b = {
    x = 1;
    y = 2;
  };

  c = 1;
}
