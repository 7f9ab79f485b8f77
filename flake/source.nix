# The source that package.nix builds nbr from. In a generated flake this file is another
# one, which names the archive beside it. Tests and their data do not change the program,
# so they do not rebuild it; embed.go names the same files.
let
  root = toString ./..;
  parts = [
    "LICENSE"
    "cmd"
    "embed.go"
    "evaluator"
    "failover"
    "firmware"
    "flake"
    "go.mod"
    "go.sum"
    "hcl"
    "lsp"
    "nixgen"
    "router"
    "service"
    "site"
    "verify"
  ];
  below = path: builtins.substring (builtins.stringLength root + 1) (-1) path;
  part = path: builtins.head (builtins.split "/" (below path));
in
builtins.path {
  path = ./..;
  name = "nbr-source";
  filter =
    path: _type:
    builtins.elem (part path) parts
    && baseNameOf path != "testdata"
    && builtins.match ".*_test\\.go" (baseNameOf path) == null;
}
