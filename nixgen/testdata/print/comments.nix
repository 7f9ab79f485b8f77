{
  without = 1;

  # dhcp4.lan, router.hcl:38
  a = 1;
  b = [
    1
    # reservation.nas, router.hcl:42
    { x = 1; }
    2

    3
    # zones.hcl:3
    4
  ];

  # reservation.nas, router.hcl:42
  c = {
    same = 1;

    # zones.hcl:3
    other = 1;

    again = 1;
  };

  after = 2;

  # evil };  , a  b
  safe = 3;

  d = builtins.seq {
    # zones.hcl:3
    in_argument = 1;
  };
}
