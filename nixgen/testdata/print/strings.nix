{
  quoted = "\"quoted\" \\ \${x} $\${x} $x $ \n\r\t é 漢";

  lines = ''
    one
      two

    three ''${x} ''' '''' $$ \ "
  '';

  no_newline_at_the_end = ''
    one
    two'';

  newline_first = ''

    one
  '';

  odd = ''
    	one''\r
    two'
    ''\'$x''\'''${x}'';

  all_indented = "  one\n  two\n";
  only_spaces = "one\n  \ntwo\n";
  one_line = "one";
  only_newlines = "\n\n";
  nothing = "";
}
