{
  identity = x: x;
  curried = x: y: { a = x; };
  three =
    x: y: z:
    x;
  none = { }: null;
  any = { ... }: null;
  set = { a, b }: { c = a; };
  expanded =
    {
      a,
      b,
      c,
    }:
    [
      a
      b
    ];
}
