{
  one = [ 1 ];

  two = [
    1
    2
  ];

  nested = [
    [ 1 ]
    { a = 1; }
    {
      a = 1;
      b = 2;
    }
  ];

  parens = [
    (f x)
    (-1)
    (1 + 2)
    (x: x)
  ];

  long = [
    "long long long long long long long long long long long long long long long long long long long long long long long long long "
  ];
}
