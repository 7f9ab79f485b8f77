# As much of nixpkgs' lib as nbr's Nix modules use, when they are called as
# functions: options are not evaluated, priorities are dropped.
rec {
  mkOption = option: option;
  mkForce = value: value;
  optional = condition: value: if condition then [ value ] else [ ];
  types = {
    str = "str";
    singleLineStr = "singleLineStr";
    enum = values: values;
    nullOr = type: type;
    listOf = type: type;
    attrsOf = type: type;
    submodule = module: module;
  };

  optionalAttrs = condition: attrs: if condition then attrs else { };
  filterAttrs =
    keep: attrs: removeAttrs attrs (builtins.filter (n: !keep n attrs.${n}) (builtins.attrNames attrs));
  mapAttrsToList = f: attrs: map (n: f n attrs.${n}) (builtins.attrNames attrs);
  concatStrings = builtins.concatStringsSep "";
  hasPrefix = prefix: s: builtins.substring 0 (builtins.stringLength prefix) s == prefix;
  hasInfix = infix: s: builtins.length (builtins.split infix s) > 1;
  assertMsg = condition: message: condition || throw message;
}
