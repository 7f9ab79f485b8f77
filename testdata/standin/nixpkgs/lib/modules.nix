# The module system: it finds modules, declares their options, merges what
# they define and says what is wrong. Written from the NixOS manual; it merges
# in the order that nixpkgs does, since lists show it.
lib:
let
  inherit (lib)
    concatMap
    concatMapStrings
    concatStringsSep
    filter
    head
    imap1
    isAttrs
    isFunction
    length
    map
    mapAttrs
    optional
    reverseList
    setAttrByPath
    sort
    types
    zipAttrsWith
    ;

  showOption =
    loc:
    concatStringsSep "." (
      map (
        n: if builtins.match "[a-zA-Z_*<][a-zA-Z0-9_'*>-]*" n != null then n else builtins.toJSON n
      ) loc
    );

  # Values in messages: short, and no more evaluated than needed.
  showValue =
    v:
    if isFunction v then
      "<function>"
    else if v ? content && v ? _type then
      showValue v.content
    else if lib.isDerivation v then
      "<derivation ${v.name}>"
    else if isAttrs v then
      "{ ${concatStringsSep " " (map (n: "${n} = …;") (builtins.attrNames v))} }"
    else if builtins.isList v then
      "[ ${concatMapStrings (x: showValue x + " ") v}]"
    else if builtins.isPath v then
      toString v
    else
      builtins.toJSON v;

  showDefs = concatMapStrings (d: "\n- In `${d.file}': ${showValue d.value}");
  showFiles = defs: concatStringsSep " and " (map (d: "`${d.file}'") defs);

  defaultPriority = 100;

  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };

  mkOption = args: args // { _type = "option"; };

  # discharge resolves the conditions and merges around a value.
  discharge =
    v:
    if v._type or null == "merge" then
      concatMap discharge v.contents
    else if v._type or null == "if" then
      if !builtins.isBool v.condition then
        throw "`mkIf' called with a condition that is no boolean"
      else if v.condition then
        discharge v.content
      else
        [ ]
    else
      [ v ];

  # pushDown moves what is around an attribute set to its values.
  pushDown =
    v:
    let
      each = f: map (mapAttrs (_: f)) (pushDown v.content);
    in
    {
      merge = concatMap pushDown v.contents;
      "if" = each (mkIf v.condition);
      override = each (mkOverride v.priority);
    }
    .${v._type or ""} or [ v ];

  # mergeDefinitions makes the one value of several definitions. by is "merge"
  # for the value and "render" for a plain copy of what was set.
  mergeDefinitions =
    by: loc: type: defs:
    let
      discharged = concatMap (
        d:
        map (value: {
          inherit (d) file;
          inherit value;
        }) (discharge d.value)
      ) defs;
      priority = d: if d.value._type or null == "override" then d.value.priority else defaultPriority;
      highest = builtins.foldl' lib.min 9999 (map priority discharged);
      strongest = map (
        d: d // { value = if d.value._type or null == "override" then d.value.content else d.value; }
      ) (filter (d: priority d == highest) discharged);
      order = d: if d.value._type or null == "order" then d.value.priority else 1000;
      ordered = map (
        d: d // { value = if d.value._type or null == "order" then d.value.content else d.value; }
      ) (sort (a: b: order a < order b) strongest);
      wrong = filter (d: !type.check d.value) ordered;
      merged =
        if wrong != [ ] then
          throw "A definition for option `${showOption loc}' is not of type `${type.description}'. Definition values:${showDefs wrong}"
        else
          type.${by} loc ordered;
    in
    {
      isDefined = ordered != [ ];
      definitions = ordered;
      inherit highest merged;
      optional = if ordered != [ ] then { value = merged; } else { };
    };

  evalOption =
    loc: decls: defs:
    let
      opt = (head decls).options;
      type = opt.type or types.unspecified;
      default = optional (opt ? default) {
        inherit (head decls) file;
        value = mkOverride 1500 opt.default;
      };
      all = mergeDefinitions "merge" loc type (default ++ defs);
      set = mergeDefinitions "render" loc type defs;
      value =
        if opt.readOnly or false && length (default ++ defs) > 1 then
          throw "The option `${showOption loc}' is read-only, but it's set multiple times. Definition values:${showDefs (default ++ defs)}"
        else if all.isDefined then
          all.merged
        else if opt ? fallback then
          opt.fallback loc
        else
          throw "The option `${showOption loc}' was accessed but has no value defined. Try setting the option.";
    in
    if length decls > 1 then
      throw "The option `${showOption loc}' in `${(builtins.elemAt decls 0).file}' is already declared in `${(builtins.elemAt decls 1).file}'."
    else
      opt
      // {
        inherit loc type;
        inherit (all) definitions isDefined;
        highestPrio = all.highest;
        declarations = map (d: d.file) decls;
        files = map (d: d.file) all.definitions;
        value = if opt ? apply then opt.apply value else value;
        # What modules have set here, plain; null when none has.
        isSet = set.isDefined;
        rendered = set.merged;
      };

  isOption = x: x._type or null == "option";

  # mergeLevel merges declarations and definitions one name at a time.
  mergeLevel =
    loc: decls: defs:
    let
      declsByName = zipAttrsWith (_: xs: xs) (
        map (
          d:
          mapAttrs (_: options: {
            inherit (d) file;
            inherit options;
          }) d.options
        ) decls
      );
      defsByName = zipAttrsWith (_: xs: xs) (
        concatMap (
          d:
          map (
            v:
            if isAttrs v then
              mapAttrs (_: value: {
                inherit (d) file;
                inherit value;
              }) v
            else
              throw "`${showOption loc}' in `${d.file}' is not an attribute set of options, but ${showValue v}"
          ) (pushDown d.value)
        ) defs
      );
      level = mapAttrs (
        name: ds:
        let
          here = loc ++ [ name ];
          options = filter (d: isOption d.options) ds;
          rest = filter (d: !isOption d.options) ds;
          option = evalOption here options (defsByName.${name} or [ ]);
        in
        if options == [ ] then
          mergeLevel here ds (defsByName.${name} or [ ])
        else if rest != [ ] then
          throw "The option `${showOption here}' in ${showFiles options} would be a parent of options in ${showFiles rest}."
        else
          {
            options = option;
            config = option.value;
            unmatched = [ ];
          }
      ) declsByName;
    in
    {
      options = mapAttrs (_: l: l.options) level;
      config = mapAttrs (_: l: l.config) level;
      unmatched = concatMap (
        name:
        if level ? ${name} then
          level.${name}.unmatched
        else
          map (d: d // { loc = loc ++ [ name ]; }) defsByName.${name}
      ) (builtins.attrNames defsByName);
    };

  # load reads one module, whatever form it has.
  load =
    args: parent: n: m:
    let
      isFile = builtins.isPath m || builtins.isString m || m ? outPath;
      key = if isFile then toString m else "${parent.key}:anon-${toString n}";
      raw = if isFile then import m else m;
      attrs = if isFunction raw then raw (argsFor key args raw) else raw;
      file = attrs._file or (if isFile then toString m else parent.file);
      known = [
        "_class"
        "_file"
        "config"
        "freeformType"
        "imports"
        "key"
        "meta"
        "options"
      ];
      long = attrs ? config || attrs ? options;
      strange = builtins.attrNames (builtins.removeAttrs attrs known);
      config =
        if !long then
          builtins.removeAttrs attrs known
        else if strange != [ ] then
          throw "Module `${file}' has an unsupported attribute `${head strange}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them into the explicit `config' attribute."
        else
          attrs.config or { };
    in
    if !isAttrs attrs then
      throw "Module `${file}' is not a module, but ${showValue attrs}"
    else
      {
        key = attrs.key or key;
        inherit config file;
        options = attrs.options or { };
        extra = optional (attrs ? freeformType) { _module.freeformType = attrs.freeformType; };
        modules = imap1 (load args { inherit file key; }) (attrs.imports or [ ]);
      };

  # Every argument that the function names is looked up when it is used, not
  # before: _module.args is made by modules too.
  argsFor =
    key: args: f:
    mapAttrs (
      name: _:
      args.${name} or (args.config._module.args.${name}
        or (throw "`${key}' wants the module argument `${name}', which no module defines")
      )
    ) (lib.functionArgs f)
    // args;

  evalModules =
    {
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
    }:
    let
      args = {
        inherit lib options;
        inherit (merged) config;
        _class = class;
        inherit specialArgs;
      }
      // specialArgs;

      internal = {
        _file = "the module system";
        options._module = {
          args = mkOption { type = types.lazyAttrsOf types.raw; };
          check = mkOption {
            type = types.bool;
            default = true;
          };
          freeformType = mkOption {
            type = types.nullOr types.raw;
            default = null;
          };
        };
      };

      # Breadth first, each key once, then the last first.
      loaded = reverseList (
        builtins.genericClosure {
          startSet = imap1 (load args {
            key = "";
            file = "<unknown-file>";
          }) (modules ++ [ internal ]);
          operator = m: m.modules;
        }
      );

      level = mergeLevel prefix (map (m: { inherit (m) file options; }) loaded) (
        concatMap (
          m:
          map (value: {
            inherit (m) file;
            inherit value;
          }) ([ m.config ] ++ m.extra)
        ) loaded
      );
      inherit (level) options;

      freeform = level.config._module.freeformType;
      free = mergeDefinitions "merge" prefix freeform unmatched;
      unmatched = map (d: {
        inherit (d) file;
        value = setAttrByPath (lib.drop (length prefix) d.loc) d.value;
      }) level.unmatched;

      merged.config =
        if freeform == null then
          level.config
        else
          lib.recursiveUpdate (if unmatched == [ ] then { } else free.merged) level.config;

      checked =
        x:
        if level.unmatched == [ ] || freeform != null || !level.config._module.check then
          x
        else
          let
            first = head level.unmatched;
          in
          throw "The option `${showOption first.loc}' does not exist. Definition values:${
            showDefs (filter (d: d.loc == first.loc) level.unmatched)
          }";
    in
    {
      _type = "configuration";
      inherit class;
      options = checked options;
      config = checked (builtins.removeAttrs merged.config [ "_module" ]);
      _module = checked merged.config._module;
      # A plain copy of everything that modules have set.
      rendered = checked (
        lib.recursiveUpdate (
          if freeform == null || unmatched == [ ] then
            { }
          else
            (mergeDefinitions "render" prefix freeform unmatched).merged
        ) (renderOptions (builtins.removeAttrs options [ "_module" ]))
      );
      extendModules =
        more:
        evalModules {
          inherit class prefix;
          modules = modules ++ more.modules or [ ];
          specialArgs = specialArgs // more.specialArgs or { };
        };
    };

  renderOptions =
    options:
    mapAttrs (_: o: if isOption o then o.rendered else renderOptions o) (
      lib.filterAttrs (_: o: if isOption o then o.isSet else anySet o) options
    );
  anySet = o: builtins.any (x: if isOption x then x.isSet else anySet x) (builtins.attrValues o);
in
{
  inherit
    evalModules
    isOption
    mergeDefinitions
    mkIf
    mkMerge
    mkOption
    mkOrder
    mkOverride
    renderOptions
    showDefs
    showOption
    showValue
    ;
  inherit defaultPriority;
  isType = name: x: x._type or null == name;
  mkDefault = mkOverride 1000;
  mkOptionDefault = mkOverride 1500;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkImageMediaOverride = mkOverride 60;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;
  mkAssert =
    condition: message: content:
    mkIf (if condition then true else throw "\nFailed assertion: ${message}") content;
  mkEnableOption =
    name:
    mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${name}.";
    };
  mkPackageOption =
    pkgs: name: args:
    mkOption (
      {
        type = types.package;
        description = "The ${builtins.concatStringsSep "." (lib.toList name)} package to use.";
      }
      // (
        if args ? default && args.default == null then
          { }
        else
          { default = lib.getAttrFromPath (lib.toList (args.default or name)) pkgs; }
      )
    );
  getFiles = map (d: d.file);
  getValues = map (d: d.value);
  setDefaultModuleLocation = file: m: {
    _file = file;
    imports = [ m ];
  };
}
