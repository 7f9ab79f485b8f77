# The part of nixpkgs' library that a router's modules use, written anew from
# its documentation. What is not here is an evaluation error, never a guess.
let
  inherit (builtins)
    attrNames
    concatLists
    concatMap
    concatStringsSep
    elem
    elemAt
    filter
    foldl'
    genList
    head
    isAttrs
    isList
    length
    listToAttrs
    map
    mapAttrs
    match
    replaceStrings
    stringLength
    substring
    tail
    ;

  lists = rec {
    inherit (builtins)
      all
      any
      concatLists
      concatMap
      elem
      elemAt
      filter
      foldl'
      genList
      groupBy
      head
      isList
      length
      map
      partition
      sort
      tail
      ;
    singleton = x: [ x ];
    optional = c: x: if c then [ x ] else [ ];
    optionals = c: xs: if c then xs else [ ];
    toList = x: if isList x then x else [ x ];
    last = xs: elemAt xs (length xs - 1);
    init = xs: genList (elemAt xs) (length xs - 1);
    take = n: xs: genList (elemAt xs) (if n < length xs then n else length xs);
    drop = n: xs: genList (i: elemAt xs (i + n)) (if n < length xs then length xs - n else 0);
    range = from: to: if from > to then [ ] else genList (i: from + i) (to - from + 1);
    reverseList = xs: genList (i: elemAt xs (length xs - i - 1)) (length xs);
    imap0 = f: xs: genList (i: f i (elemAt xs i)) (length xs);
    imap1 = f: imap0 (i: f (i + 1));
    foldr =
      f: zero: xs:
      if xs == [ ] then zero else f (head xs) (foldr f zero (tail xs));
    fold = foldr;
    flatten = x: if isList x then concatMap flatten x else [ x ];
    remove = x: filter (y: y != x);
    unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
    subtractLists = xs: filter (y: !elem y xs);
    intersectLists = xs: filter (y: elem y xs);
    count = p: xs: length (filter p xs);
    findFirst =
      p: default: xs:
      let
        found = filter p xs;
      in
      if found == [ ] then default else head found;
    zipListsWith =
      f: a: b:
      genList (i: f (elemAt a i) (elemAt b i)) (if length a < length b then length a else length b);
    zipLists = zipListsWith (fst: snd: { inherit fst snd; });
    sortOn = f: builtins.sort (a: b: f a < f b);
    forEach = xs: f: map f xs;
    mutuallyExclusive = a: b: intersectLists a b == [ ];
  };

  strings = rec {
    inherit (builtins)
      concatStringsSep
      match
      replaceStrings
      stringLength
      substring
      toJSON
      fromJSON
      ;
    concatStrings = concatStringsSep "";
    concatMapStrings = f: xs: concatStrings (map f xs);
    concatMapStringsSep =
      sep: f: xs:
      concatStringsSep sep (map f xs);
    concatImapStringsSep =
      sep: f: xs:
      concatStringsSep sep (lists.imap1 f xs);
    concatLines = concatMapStrings (s: s + "\n");
    optionalString = c: s: if c then s else "";
    hasPrefix = p: s: substring 0 (stringLength p) s == p;
    hasSuffix =
      p: s:
      let
        n = stringLength s - stringLength p;
      in
      n >= 0 && substring n (stringLength p) s == p;
    hasInfix = p: s: replaceStrings [ p ] [ "" ] s != s || p == "";
    removePrefix = p: s: if hasPrefix p s then substring (stringLength p) (-1) s else s;
    removeSuffix = p: s: if hasSuffix p s then substring 0 (stringLength s - stringLength p) s else s;
    escape = chars: replaceStrings chars (map (c: "\\" + c) chars);
    escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
    escapeShellArg =
      x:
      if match "[[:alnum:],._+:@%/-]+" (toString x) != null then
        toString x
      else
        "'" + replaceStrings [ "'" ] [ "'\\''" ] (toString x) + "'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    escapeNixString = s: replaceStrings [ "\${" ] [ "\\\${" ] (builtins.toJSON s);
    stringToCharacters = s: genList (i: substring i 1 s) (stringLength s);
    splitString =
      sep: s:
      filter builtins.isString (builtins.split (escapeRegex sep) (builtins.unsafeDiscardStringContext s));
    trim = s: builtins.elemAt (match "[ \t\r\n]*(.*[^ \t\r\n])?[ \t\r\n]*" s) 0;
    getName =
      x: if builtins.isString x then (builtins.parseDrvName x).name else x.pname or (getName x.name);
    lower = "abcdefghijklmnopqrstuvwxyz";
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    toLower = replaceStrings (stringToCharacters upper) (stringToCharacters lower);
    toUpper = replaceStrings (stringToCharacters lower) (stringToCharacters upper);
    isString = builtins.isString;
    isStringLike = x: builtins.isString x || builtins.isPath x || x ? outPath || x ? __toString;
    fixedWidthString =
      n: c: s:
      if stringLength s >= n then s else fixedWidthString n c (c + s);
    fixedWidthNumber = n: x: fixedWidthString n "0" (toString x);
    nameFromURL = url: sep: head (splitString sep (lists.last (splitString "/" url)));
    fileContents = file: removeSuffix "\n" (builtins.readFile file);
    makeBinPath = concatMapStringsSep ":" (p: "${p}/bin");
    versionOlder = a: b: builtins.compareVersions b a > 0;
    versionAtLeast = a: b: !versionOlder a b;
    toInt = s: builtins.fromJSON (builtins.elemAt (match "0*([0-9]+)" s) 0);
    boolToString = b: if b then "true" else "false";
    boolToYesNo = b: if b then "yes" else "no";
    indent = n: s: concatMapStringsSep "\n" (l: n + l) (splitString "\n" s);
  };

  attrsets = rec {
    inherit (builtins)
      attrNames
      attrValues
      catAttrs
      isAttrs
      listToAttrs
      mapAttrs
      zipAttrsWith
      ;
    optionalAttrs = c: x: if c then x else { };
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: f: listToAttrs (map (n: nameValuePair n (f n)) names);
    genAttrs' = names: f: listToAttrs (map f names);
    filterAttrs = p: set: removeAttrs set (filter (n: !p n set.${n}) (attrNames set));
    mapAttrs' = f: set: listToAttrs (map (n: f n set.${n}) (attrNames set));
    mapAttrsToList = f: set: map (n: f n set.${n}) (attrNames set);
    attrsToList = mapAttrsToList nameValuePair;
    concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
    mergeAttrsList = foldl' (a: b: a // b) { };
    mergeAttrs = a: b: a // b;
    foldlAttrs =
      f: zero: set:
      foldl' (acc: n: f acc n set.${n}) zero (attrNames set);
    getAttrs = names: set: genAttrs names (n: set.${n});
    getAttr = builtins.getAttr;
    hasAttr = builtins.hasAttr;
    removeAttrs = builtins.removeAttrs;
    intersectAttrs = builtins.intersectAttrs;
    attrByPath =
      path: default: set:
      if path == [ ] then
        set
      else if isAttrs set && set ? ${head path} then
        attrByPath (tail path) default set.${head path}
      else
        default;
    hasAttrByPath =
      path: set:
      path == [ ] || isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path};
    getAttrFromPath =
      path: attrByPath path (throw "cannot find attribute `${concatStringsSep "." path}'");
    setAttrByPath =
      path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
    recursiveUpdate =
      a: b:
      a
      // mapAttrs (
        n: v: if isAttrs v && a ? ${n} && isAttrs a.${n} then recursiveUpdate a.${n} v else v
      ) b;
    mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
    mapAttrsRecursiveCond =
      cond: f:
      let
        go =
          path: mapAttrs (n: v: if isAttrs v && cond v then go (path ++ [ n ]) v else f (path ++ [ n ]) v);
      in
      go [ ];
    collect =
      p: x:
      if p x then
        [ x ]
      else if isAttrs x then
        concatMap (collect p) (attrValues x)
      else
        [ ];
    isDerivation = x: x.type or null == "derivation";
    zipAttrs = zipAttrsWith (_: xs: xs);
    getBin = x: x.bin or x;
    getLib = x: x.lib or x;
    getDev = x: x.dev or x;
    getOutput = name: x: x.${name} or x;
    recurseIntoAttrs = x: x // { recurseForDerivations = true; };
    cartesianProduct =
      set:
      foldl' (done: n: concatMap (x: map (v: x // { ${n} = v; }) set.${n}) done) [ { } ] (attrNames set);
  };

  trivial = rec {
    inherit (builtins)
      add
      bitAnd
      bitOr
      bitXor
      functionArgs
      genericClosure
      isBool
      isFloat
      isInt
      lessThan
      pathExists
      readFile
      seq
      sub
      toString
      tryEval
      typeOf
      ;
    inherit (builtins) deepSeq;
    id = x: x;
    const = x: _: x;
    flip =
      f: a: b:
      f b a;
    pipe = foldl' (x: f: f x);
    min = a: b: if a < b then a else b;
    max = a: b: if a > b then a else b;
    mod = a: b: a - b * (a / b);
    isFunction = f: builtins.isFunction f || f ? __functor;
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    warn = message: builtins.trace "warning: ${message}";
    warnIf = c: message: if c then warn message else id;
    warnIfNot = c: warnIf (!c);
    throwIf = c: message: if c then throw message else id;
    throwIfNot = c: throwIf (!c);
    assertMsg = c: message: c || throw message;
    assertOneOf =
      name: value: allowed:
      assertMsg (elem value allowed) "${name} must be one of ${builtins.toJSON allowed}";
    showWarnings = messages: x: foldl' (x: m: warn m x) x messages;
    toHexString =
      n: (if n > 15 then toHexString (n / 16) else "") + substring (mod n 16) 1 "0123456789ABCDEF";
    toFunction = f: if isFunction f then f else _: f;
    release = strings.fileContents ../release;
    version = release;
    fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    cleanSource = src: src;
    cleanSourceWith = { src, ... }: src;
    sourceByRegex = src: _: src;
    getExe = x: "${x}/bin/${x.meta.mainProgram or x.pname or x.name}";
    getExe' = x: name: "${x}/bin/${name}";
    mdDoc = id;
    literalExpression = text: {
      _type = "literalExpression";
      inherit text;
    };
    literalMD = text: {
      _type = "literalMD";
      inherit text;
    };
  };

  fixedPoints = rec {
    fix =
      f:
      let
        x = f x;
      in
      x;
    extends =
      overlay: f: final:
      let
        prev = f final;
      in
      prev // overlay final prev;
    composeManyExtensions =
      overlays: final: prev:
      foldl' (done: o: done // o final (prev // done)) { } overlays;
    composeExtensions =
      a: b:
      composeManyExtensions [
        a
        b
      ];
    makeExtensible = f: fix f // { extend = overlay: makeExtensible (extends overlay f); };
    # A function's result that remembers how it was made.
    makeOverridable =
      f: args:
      let
        result = f args;
        override = new: makeOverridable f (args // (if builtins.isFunction new then new args else new));
      in
      if isAttrs result then result // { inherit override; } else result;
    callPackageWith =
      scope: f: args:
      let
        fn = if builtins.isFunction f then f else import f;
        wanted = builtins.intersectAttrs (builtins.functionArgs fn) scope;
      in
      makeOverridable fn (wanted // args);
  };

  kernel =
    let
      answer = tristate: {
        inherit tristate;
        optional = false;
      };
    in
    {
      yes = answer "y";
      no = answer "n";
      module = answer "m";
      unset = answer null;
      freeform = text: {
        freeform = text;
        optional = false;
      };
      option = x: x // { optional = true; };
    };

  filesystem = {
    fileset = {
      toSource = { root, ... }: root;
      unions = xs: xs;
      union = a: b: [
        a
        b
      ];
      difference = a: _: a;
      intersection = a: _: a;
      fileFilter = _: path: path;
      maybeMissing = path: path;
      gitTracked = path: path;
    };
  };

  systems = import ./systems.nix;

  lib =
    lists
    // strings
    // attrsets
    // trivial
    // fixedPoints
    // filesystem
    // (import ./modules.nix lib)
    // {
      inherit
        attrsets
        fixedPoints
        kernel
        lists
        strings
        systems
        trivial
        ;
      types = import ./types.nix lib;
      inherit (lib.types) mkOptionType;
      standin = import ./table.nix lib;
      generators = {
        toJSON = _: builtins.toJSON;
        toYAML = _: builtins.toJSON;
        toKeyValue = _: set: strings.concatLines (attrsets.mapAttrsToList (n: v: "${n}=${toString v}") set);
      };
      maintainers = { };
      licenses =
        attrsets.genAttrs
          [
            "asl20"
            "bsd2"
            "bsd3"
            "gpl2Only"
            "gpl2Plus"
            "gpl3Only"
            "gpl3Plus"
            "mit"
            "mpl20"
          ]
          (shortName: {
            inherit shortName;
          })
        // {
          unfreeRedistributable = {
            shortName = "unfreeRedistributable";
            free = false;
          };
        };
      platforms = {
        linux = [
          "aarch64-linux"
          "riscv64-linux"
          "x86_64-linux"
        ];
        all = lib.platforms.linux;
        unix = lib.platforms.linux;
      };
    };
in
lib
