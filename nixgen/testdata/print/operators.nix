{
  lists = [
    1
    2
  ]
  ++ a
  ++ [
    3
    4
  ];

  update = base // {
    a = 1;
    b = 2;
  };

  left = 1 + 2 + 3;
  right = 1 + (2 + 3);
  minus = 1 - (2 - 3);
  mixed = (1 + -2) * 2.0;
  implies = (a -> b) -> a -> b;
  logic = a == null && (a || b && c);
  equal = (a == b) == true;

  equal_at_100 =
    vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv == f
      {
        a = 1;
        b = 2;
      };

  equal_at_101 =
    vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv
    == f {
      a = 1;
      b = 2;
    };

  equal_call_at_100 =
    v
    == f (x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy) "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
  equal_call_at_101 =
    v == f (
      x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
    ) "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
  has = config.services ? kea.enable;
  has_odd = f x ? "not a name";
  lambda = f x ++ (x: x);
  long =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    + (b + "cccccccccccccccccccccccccccccccccccccccccccccccccc");
}
