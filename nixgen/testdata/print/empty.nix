{
  set = { };
  list = [ ];
  call = f { } [ ];
}
