{ lib, ... }:
let
  x = 1;

  y =
    let
      z = 2;
    in
    z;
in
{
  no_binds = x;
  in_list = [
    (
      let
        q = 3;
      in
      q
    )
  ];
}
