# The types of options. Each has merge, which makes one value of several
# definitions, and render, which makes a plain copy of what was set, without the
# options of submodules that no module has set.
lib:
let
  inherit (lib)
    all
    concatStringsSep
    elem
    filter
    head
    imap1
    isAttrs
    isFunction
    length
    map
    mapAttrs
    mergeDefinitions
    showDefs
    showOption
    zipAttrsWith
    ;
  inherit (builtins)
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    match
    substring
    ;

  hint = "Use `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  conflict =
    loc: defs:
    throw "The option `${showOption loc}' has conflicting definition values:${showDefs defs}\n${hint}";

  # Equal definitions agree.
  mergeEqual =
    loc: defs:
    let
      first = (head defs).value;
    in
    if length defs == 1 || all (d: d.value == first) defs then first else conflict loc defs;

  mergeOne =
    loc: defs:
    if length defs == 1 then
      (head defs).value
    else
      throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique.\nDefinition values:${showDefs defs}\n${hint}";

  # plain is a copy that JSON can hold. What is deeper than any configuration
  # is a set of packages that someone has stored in an option.
  plain =
    depth: v:
    if isFunction v then
      "<function>"
    else if isAttrs v then
      if v ? outPath then
        "${v}"
      else if depth == 0 then
        "<deep>"
      else
        mapAttrs (_: plain (depth - 1)) v
    else if isList v then
      map (plain depth) v
    else if isPath v then
      toString v
    else
      v;

  mkOptionType =
    t:
    let
      type = {
        description = t.name;
        check = _: true;
        merge = mergeEqual;
        render = loc: defs: plain 8 (type.merge loc defs);
        emptyValue = { };
        nestedTypes = { };
        _type = "option-type";
      }
      // t;
    in
    type;

  # A type with parts merges and renders in the same way.
  composite =
    t:
    mkOptionType (
      builtins.removeAttrs t [ "mergeBy" ]
      // {
        merge = t.mergeBy "merge";
        render = t.mergeBy "render";
      }
    );

  simple =
    name: description: check:
    mkOptionType { inherit name description check; };

  nonEmpty = s: match "[ \t\n]*" s == null;

  types = rec {
    inherit mkOptionType;

    raw = mkOptionType {
      name = "raw";
      description = "raw value";
      merge = mergeOne;
    };
    anything = composite {
      name = "anything";
      mergeBy =
        by: loc: defs:
        let
          values = map (d: d.value) defs;
        in
        if all (v: isAttrs v && !(v ? outPath)) values then
          (attrsOf anything).${by} loc defs
        else if by == "merge" then
          mergeEqual loc defs
        else
          plain 8 (mergeEqual loc defs);
    };
    unspecified = anything // {
      name = "unspecified";
      description = "unspecified value";
    };
    optionType = raw;

    bool = simple "bool" "boolean" isBool;
    boolByOr = mkOptionType {
      inherit (bool) name description check;
      merge = _: defs: builtins.any (d: d.value) defs;
    };
    int = simple "int" "signed integer" isInt;
    float = simple "float" "floating point number" isFloat;
    number = either int float;
    str = simple "str" "string" isString;
    path = simple "path" "absolute path" (x: lib.isStringLike x && substring 0 1 (toString x) == "/");
    pathInStore = simple "pathInStore" "path in the Nix store" (
      x: lib.isStringLike x && lib.hasPrefix builtins.storeDir (toString x)
    );
    package = simple "package" "package" (x: lib.isDerivation x || pathInStore.check x);
    shellPackage = package;
    pkgs = raw;
    ints =
      let
        where = description: p: simple "int" description (x: isInt x && p x);
        between =
          lo: hi:
          where "integer between ${toString lo} and ${toString hi} (both inclusive)" (x: x >= lo && x <= hi);
        bits =
          lo: n:
          let
            hi = if lo < 0 then -lo - 1 else n;
          in
          where "${
            if lo < 0 then "signed" else "unsigned"
          } integer; between ${toString lo} and ${toString hi} (both inclusive)" (x: x >= lo && x <= hi);
      in
      {
        inherit between;
        positive = where "positive integer, meaning >0" (x: x > 0);
        unsigned = where "unsigned integer, meaning >=0" (x: x >= 0);
        u8 = bits 0 255;
        u16 = bits 0 65535;
        u32 = bits 0 4294967295;
        s8 = bits (-128) 0;
        s16 = bits (-32768) 0;
        s32 = bits (-2147483648) 0;
      };
    port = ints.u16;
    strMatching =
      pattern:
      simple "strMatching" "string matching the pattern ${pattern}" (
        x: isString x && match pattern x != null
      );
    nonEmptyStr = simple "nonEmptyStr" "non-empty string" (x: isString x && nonEmpty x);
    singleLineStr = mkOptionType {
      name = "singleLineStr";
      description = "(optionally newline-terminated) single-line string";
      check = x: isString x && match "[^\n\r]*\n?" x != null;
      merge = loc: defs: lib.removeSuffix "\n" (mergeEqual loc defs);
    };
    separatedString =
      sep:
      mkOptionType {
        name = "separatedString";
        description = "strings concatenated with ${builtins.toJSON sep}";
        check = isString;
        merge = _: defs: concatStringsSep sep (map (d: d.value) defs);
      };
    lines = separatedString "\n";
    commas = separatedString ",";
    envVar = separatedString ":";
    enum =
      values:
      simple "enum" "one of ${concatStringsSep ", " (map builtins.toJSON values)}" (x: elem x values);

    attrs = mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      merge = _: defs: builtins.foldl' (a: d: a // d.value) { } defs;
      emptyValue.value = { };
    };
    attrsOf =
      elemType:
      composite {
        name = "attrsOf";
        description = "attribute set of ${elemType.description}";
        check = isAttrs;
        emptyValue.value = { };
        nestedTypes = { inherit elemType; };
        mergeBy =
          by: loc: defs:
          mapAttrs (_: m: m.optional.value) (
            lib.filterAttrs (_: m: m.optional ? value) (
              zipAttrsWith (name: mergeDefinitions by (loc ++ [ name ]) elemType) (
                map (
                  d:
                  mapAttrs (_: value: {
                    inherit (d) file;
                    inherit value;
                  }) d.value
                ) defs
              )
            )
          );
      };
    lazyAttrsOf =
      elemType:
      composite {
        name = "lazyAttrsOf";
        description = "lazy attribute set of ${elemType.description}";
        check = isAttrs;
        emptyValue.value = { };
        nestedTypes = { inherit elemType; };
        mergeBy =
          by: loc: defs:
          zipAttrsWith
            (
              name: ds:
              let
                m = mergeDefinitions by (loc ++ [ name ]) elemType ds;
              in
              m.optional.value
                or (throw "The option `${showOption (loc ++ [ name ])}' was accessed but has no value defined.")
            )
            (
              map (
                d:
                mapAttrs (_: value: {
                  inherit (d) file;
                  inherit value;
                }) d.value
              ) defs
            );
      };
    listOf =
      elemType:
      composite {
        name = "listOf";
        description = "list of ${elemType.description}";
        check = isList;
        emptyValue.value = [ ];
        nestedTypes = { inherit elemType; };
        mergeBy =
          by: loc: defs:
          map (m: m.optional.value) (
            filter (m: m.optional ? value) (
              lib.concatLists (
                imap1 (
                  n: d:
                  imap1 (
                    m: value:
                    mergeDefinitions by (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elemType [
                      {
                        inherit (d) file;
                        inherit value;
                      }
                    ]
                  ) d.value
                ) defs
              )
            )
          );
      };
    nonEmptyListOf =
      elemType:
      listOf elemType
      // {
        description = "non-empty (list of ${elemType.description})";
        check = x: isList x && x != [ ];
        emptyValue = { };
      };

    nullOr =
      elemType:
      composite {
        name = "nullOr";
        description = "null or ${elemType.description}";
        check = x: x == null || elemType.check x;
        emptyValue.value = null;
        nestedTypes = { inherit elemType; };
        mergeBy =
          by: loc: defs:
          let
            nulls = length (filter (d: d.value == null) defs);
          in
          if nulls == length defs then
            null
          else if nulls != 0 then
            throw "The option `${showOption loc}' is defined both null and not null, in:${showDefs defs}"
          else
            elemType.${by} loc defs;
      };
    either =
      a: b:
      composite {
        name = "either";
        description = "${a.description} or ${b.description}";
        check = x: a.check x || b.check x;
        nestedTypes = {
          left = a;
          right = b;
        };
        mergeBy =
          by: loc: defs:
          let
            fits = t: all (d: t.check d.value) defs;
          in
          if fits a then
            a.${by} loc defs
          else if fits b then
            b.${by} loc defs
          else
            mergeOne loc defs;
      };
    oneOf = ts: builtins.foldl' either (head ts) (builtins.tail ts);
    coercedTo =
      from: convert: to:
      composite {
        name = "coercedTo";
        description = "${to.description} or ${from.description} convertible to it";
        check = x: (from.check x && to.check (convert x)) || to.check x;
        inherit (to) emptyValue;
        mergeBy =
          by: loc: defs:
          to.${by} loc (
            map (d: d // { value = if from.check d.value then convert d.value else d.value; }) defs
          );
      };
    uniq = unique { message = ""; };
    unique =
      { message }:
      t:
      t
      // {
        merge = loc: defs: if length defs > 1 then mergeOne loc defs else t.merge loc defs;
        render = loc: defs: if length defs > 1 then mergeOne loc defs else t.render loc defs;
      };
    addCheck = t: check: t // { check = x: t.check x && check x; };
    functionTo =
      to:
      mkOptionType {
        name = "functionTo";
        description = "function that evaluates to a(n) ${to.description}";
        check = isFunction;
        merge = mergeOne;
      };

    deferredModule = mkOptionType {
      name = "deferredModule";
      description = "module";
      check = x: isAttrs x || isFunction x || isPath x;
      merge = loc: defs: { imports = map (d: d.value) defs; };
      render = _: _: "<module>";
    };
    # An attribute called config is an option of its own, not the module's configuration.
    submodule =
      modules:
      submoduleWith {
        shorthandOnlyDefinesConfig = true;
        modules = lib.toList modules;
      };
    submoduleWith =
      {
        modules,
        specialArgs ? { },
        shorthandOnlyDefinesConfig ? false,
        description ? "submodule",
        class ? null,
      }:
      let
        eval =
          loc: defs:
          lib.evalModules {
            inherit class specialArgs;
            prefix = loc;
            modules =
              modules
              ++ [ { _module.args.name = lib.mkOptionDefault (lib.last ([ "<name>" ] ++ loc)); } ]
              ++ map (d: {
                _file = d.file;
                imports = [
                  (if shorthandOnlyDefinesConfig && isAttrs d.value then { config = d.value; } else d.value)
                ];
              }) defs;
          };
      in
      mkOptionType {
        name = "submodule";
        inherit description;
        check = x: isAttrs x || isFunction x || isPath x;
        merge = loc: defs: (eval loc defs).config;
        render = loc: defs: (eval loc defs).rendered;
        emptyValue.value = { };
        getSubModules = modules;
      };
  };
in
types
