{
  paths = "${pkgs.nftables}/bin/nft -f ${./rules.nft}";
  dollars = "\$${x}\${}${y}\n";
  no_expression = "ab";
  nothing = "";
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
