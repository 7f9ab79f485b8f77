# The functions of nixgen.Functions: what nbr, as a plugin of the evaluator, makes values of. A plugin
# has constants, lists, sets and calls, and no way to make a function.
let
  at = builtins.foldl' (set: name: set.${name});
  has =
    path: set:
    path == [ ]
    || (
      set ? ${builtins.head path} && has (builtins.tail path) set.${builtins.head path}
    );
in
{
  inherit builtins throw;

  # The regular files in a folder and below it, by their names in it.
  files =
    folder:
    let
      below =
        dir:
        builtins.concatMap (
          name:
          let
            kind = (builtins.readDir (folder + "/${dir}")).${name};
          in
          if kind == "directory" then
            below "${dir}${name}/"
          else
            builtins.filter (_: kind == "regular") [
              {
                name = dir + name;
                value = folder + "/${dir}${name}";
              }
            ]
        ) (builtins.attrNames (builtins.readDir (folder + "/${dir}")));
    in
    builtins.listToAttrs (below "");

  select = path: set: at set path;
  inherit has;
  concat = builtins.foldl' (text: part: "${text}${part}") "";

  "++" = a: b: a ++ b;
  "*" = a: b: a * b;
  "/" = a: b: a / b;
  "+" = a: b: a + b;
  "-" = a: b: a - b;
  "//" = a: b: a // b;
  "<" = a: b: a < b;
  ">" = a: b: a > b;
  "<=" = a: b: a <= b;
  ">=" = a: b: a >= b;
  "==" = a: b: a == b;
  "!=" = a: b: a != b;
  "&&" = a: b: a && b;
  "||" = a: b: a || b;
  "->" = a: b: a -> b;

  # Within a function, an expression is a function of the variables in force.
  const = x: _: x;
  call =
    f: x: env:
    (f env) (x env);
  list = fs: env: map (f: f env) fs;
  attrs = fs: env: builtins.mapAttrs (_: f: f env) fs;
  lambda =
    name: f: env: x:
    f (env // { ${name} = x; });
  pattern = names: open: f: env: {
    __functionArgs = builtins.listToAttrs (
      map (name: {
        inherit name;
        value = false;
      }) names
    );
    __functor =
      self: args:
      let
        missing = builtins.filter (name: !(args ? ${name})) names;
        more = builtins.attrNames (builtins.removeAttrs args names);
      in
      if missing != [ ] then
        throw "function called without required argument '${builtins.head missing}'"
      else if !open && more != [ ] then
        throw "function called with unexpected argument '${builtins.head more}'"
      else
        f (env // builtins.intersectAttrs self.__functionArgs args);
  };
  "let" =
    fs: f: env:
    let
      inner = env // builtins.mapAttrs (_: value: value inner) fs;
    in
    f inner;
}
