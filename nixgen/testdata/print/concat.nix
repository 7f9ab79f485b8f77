{
  paths = "${pkgs.nftables}/bin/nft -f ${./rules.nft}";
  dollars = "\$${x}\${}${y}\n";
  no_expression = "ab";
  joined = "\${x}${y}";
  dollar_last = "${x}$";
  thirty = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa${f (x + yyyyyyyyyyyyyyyyyyyyyy)}";
  thirty_one = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa${
    f (x + yyyyyyyyyyyyyyyyyyyyyyy)
  }";
  nothing = "";
  lines = "x ${f ''
    a
    b
  ''}y";
  broken_joined = "  ${f "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      3
    }";
  broken = "  ${f "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      3
    }";
  set = "a ${
    f {
      a = 1;
      b = 2;
    }
  } z";
}
