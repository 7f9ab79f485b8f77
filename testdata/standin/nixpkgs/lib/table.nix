# Options from the table of nbr's own (see internal/nixoptions): a tree of
# names with a type at each option.
lib:
let
  inherit (builtins)
    elemAt
    filter
    length
    mapAttrs
    match
    removeAttrs
    ;
  inherit (lib) mkOption types;

  wildcards = [
    "<name>"
    "*"
  ];

  # Plain data, as JSON, YAML and TOML have it.
  data =
    nullable:
    let
      value = types.oneOf [
        types.bool
        types.int
        types.float
        types.str
        types.path
        (types.attrsOf this)
        (types.listOf this)
      ];
      this = (if nullable then types.nullOr value else value) // {
        description = "plain data";
      };
    in
    this;

  limited =
    t: type:
    types.addCheck type (
      x:
      (!t ? min || x >= t.min)
      && (!t ? max || x <= t.max)
      && (!t ? pattern || match t.pattern (toString x) != null)
    )
    // lib.optionalAttrs (t ? min || t ? pattern) {
      description =
        type.description
        + (if t ? pattern then " matching ${t.pattern}" else " within the option's limits");
    };

  # typeOf is the type of the option at a node; overrides are those for the
  # options inside of it.
  typeOf =
    overrides: node: t:
    let
      inner = name: typeOf (overrides.${name} or { }) (node.children.${name} or { }) t.of;
    in
    {
      any = if t.unique or false then types.raw else types.unspecified;
      bool = types.bool;
      int = limited t types.int;
      float = types.float;
      string = limited t (if t ? sep then types.separatedString t.sep else types.str);
      path = limited t types.path;
      package = types.package;
      function = lib.mkOptionType {
        name = "function";
        check = lib.isFunction;
      };
      enum = types.enum t.enum;
      data = data (!t.noNull or false);
      null = types.enum [ null ];
      listOf = (if t.nonEmpty or false then types.nonEmptyListOf else types.listOf) (inner "*");
      attrsOf =
        if t.whole or false then
          types.attrs
        else
          (if t.lazy or false then types.lazyAttrsOf else types.attrsOf) (inner "<name>");
      submodule = types.submodule (
        [ { options = declare overrides (removeAttrs (node.children or { }) wildcards); } ]
        ++ overrides._modules or [ ]
        ++ lib.optional (t ? of) {
          freeformType =
            if t.of.kind == "data" || t.of.kind == "any" then
              types.attrsOf (typeOf { } { } t.of)
            else
              typeOf { } { } t.of;
        }
      );
      union =
        let
          others = filter (a: a.kind != "null") t.alts;
          type = types.oneOf (map (typeOf overrides node) others);
        in
        if length others == length t.alts then type else types.nullOr type;
    }
    .${t.kind};

  # The table has no defaults. What a module reads and no other has set is empty.
  empty =
    t: loc:
    {
      bool = false;
      string = if t ? pattern && match t.pattern "" == null then none loc else "";
      listOf = [ ];
      attrsOf = { };
      data = { };
      null = null;
      union = if builtins.any (a: a.kind == "null") t.alts then null else empty (elemAt t.alts 0) loc;
    }
    .${t.kind} or (none loc);
  none =
    loc:
    throw "The option `${lib.showOption loc}' was accessed but has no value defined, and the stand-in knows no default.";

  option =
    overrides: node:
    let
      type = typeOf overrides node node.type;
    in
    mkOption (
      {
        inherit type;
        readOnly = node.type.readOnly or false;
        fallback = loc: if node.type.kind == "submodule" then type.merge loc [ ] else empty node.type loc;
      }
      // overrides._option or { }
    );

  # named is the type of something that has a name of its own and is declared
  # without an option around it.
  named =
    overrides: node:
    if node ? type then
      typeOf overrides node node.type
    else
      types.submodule { options = declare overrides (removeAttrs node.children wildcards); };

  # declare turns a tree into options. overrides is a tree of the same shape:
  # _option has attributes for mkOption, _modules more modules of a submodule.
  declare =
    overrides:
    mapAttrs (
      name: node:
      let
        inner = overrides.${name} or { };
      in
      if node ? type then
        option inner node
      else if node.children ? "<name>" then
        mkOption {
          type = types.attrsOf (named (inner."<name>" or { }) node.children."<name>");
          default = { };
        }
      else
        declare inner node.children
    );
in
{
  # declareFile is declare for a table in a file.
  declareFile =
    file: overrides: declare overrides (builtins.fromJSON (builtins.readFile file)).children;
}
