{
  one.two.three.four.five.sixsixsixsixsixsixsixsixsixsixsixsix =
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

  "net.ipv4.conf".allallallallallallallallallallallallallallallallallallallallallallallallallallallallallallall =
    [
      1
      2
    ];

  environment.etc."a.conf".text.bbbbbbbbbbbbbbbbbbbbbb =
    mkForce "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
}
