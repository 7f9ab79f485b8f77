{
  simple = lib.mkForce "v";

  list = lib.mkForce [
    "a"
    "b"
  ];

  set = lib.mkIf config.a {
    b = 1;
    c = 2;
  };

  two_lists = f [ 1 2 ] [ 3 4 ];

  short_list = f [ 1 2 ] { a = 1; };

  long_list = f [
    0
    1
    2
    3
    4
    5
    6
  ] x;
  lambda_first = lib.mapAttrs (n: { v = n; }) x;
  lambda_last = map (n: {
    v = n;
    w = 1;
  });
  nested = f (g {
    a = 1;
    b = 2;
  });
  nested_long = f (
    g "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
  );
  curried = f 1 2;
  of_lambda = (x: x) (-2);
  no_arguments = f;

  text = pkgs.writeText "name.conf" ''
    one
    two
  '';

  long =
    pkgs.someNamesomeNamesomeNamesomeNamesomeName "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      null;
}
