{
  single = {
    b = 1;
  };

  double = {
    b = 1;
    c = 2;
  };

  argument = f { b = 1; };

  "not an identifier"."if".a'-_."\${x}"."" = "v";
}
