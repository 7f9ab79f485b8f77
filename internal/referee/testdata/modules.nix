# What the module system does with the definitions of options, as far as nbr's modules need it:
# sets are joined, lists are put together, the strongest definition of a value wins and two
# different ones of the same strength are an error. Options are neither declared nor typed here.
modules:
let
  override = priority: content: {
    _type = "override";
    inherit priority content;
  };
  ordered = order: list: {
    _type = "order";
    inherit order list;
  };
  lib = {
    mkOverride = override;
    mkForce = override 50;
    mkDefault = override 1000;
    # Of lists alone.
    mkBefore = ordered 500;
    mkAfter = ordered 1500;
    # Of lists, and of an option of lines, as services.radvd.config is one.
    mkMerge =
      values:
      if builtins.isString (builtins.head values) then
        builtins.concatStringsSep "\n" values
      else
        {
          _type = "merge";
          inherit values;
        };
    getExe' = package: name: "${package}/bin/${name}";
    optional = condition: value: if condition then [ value ] else [ ];
  };
  # Packages are where they would be; files carry their text, so that a test can read it.
  pkgs =
    builtins.listToAttrs (
      map
        (name: {
          inherit name;
          value = "/nix/store/${name}";
        })
        [
          "asterisk"
          "bash"
          "conntrack-tools"
          "coreutils"
          "curl"
          "gawk"
          "ethtool"
          "freeradius"
          "iproute2"
          "knot-dns"
          "mosquitto"
          "ndisc6"
          "nftables"
          "openssh"
          "openssl"
          "procps"
          "systemd"
          "tayga"
          "util-linux"
          "wireguard-tools"
          "wpa_supplicant"
        ]
    )
    // {
      writeText = name: text: "text:${text}";
      writeTextDir = name: text: "text:${text}";
      # What is built is where it would be; that it can be is for a test of its own.
      runCommandLocal = name: _: _: "/nix/store/${name}";
      writeShellScript = name: text: "text:${text}";
    };

  # What nbr's own module does is for flaketest, be it of the tree or of an input.
  args = {
    inherit config lib pkgs;
    nbr.nixosModules.default = { };
    sops-nix.nixosModules.sops = { };
    agenix.nixosModules.default = { };
  };
  own = "nbr/module.nix";

  # An argument that is none of these is an input of the spec's own: files.
  arguments = builtins.mapAttrs (name: _: args.${name} or "/nix/store/${name}");

  # What NixOS itself says where nbr's modules have to say otherwise (25.11's
  # nixos/modules/tasks/network-interfaces.nix).
  nixos.boot.kernel.sysctl."net.ipv4.conf.all.forwarding" = lib.mkDefault false;

  # Its other commands are of no concern to nbr's modules, which go around these.
  nixos.systemd.services.nftables.serviceConfig.ExecReload = [ "nft -f /etc/nftables.conf" ];

  # What modules read of others' options.
  nixos.programs.nbr.package = lib.mkDefault "/nix/store/nbr";
  nixos.services.freeradius.package = lib.mkDefault "/nix/store/freeradius";
  nixos.services.strongswan-swanctl.package = lib.mkDefault "/nix/store/strongswan";
  nixos.services.radvd = {
    debugLevel = lib.mkDefault 0;
    package = lib.mkDefault "/nix/store/radvd";
  };
  nixos.services.suricata = {
    configFile = lib.mkDefault "/nix/store/suricata.yaml";
    package = lib.mkDefault "/nix/store/suricata";
  };

  # The sets that a module and its imports define.
  definitions =
    module:
    let
      set = if builtins.isFunction module then module (arguments (builtins.functionArgs module)) else module;
    in
    if builtins.isPath module then
      if "${baseNameOf (dirOf module)}/${baseNameOf module}" == own then [ ] else definitions (import module)
    else
      builtins.concatMap definitions (set.imports or [ ]) ++ [ (removeAttrs set [ "imports" ]) ];

  isOverride = v: builtins.isAttrs v && v._type or null == "override";
  priority = v: if isOverride v then v.priority else 100;
  content = v: if isOverride v then v.content else v;

  isList = v: builtins.isList v || builtins.isAttrs v && v._type or null == "order";
  order = v: if builtins.isAttrs v then v.order else 1000;

  merge =
    path: defined:
    let
      values = builtins.concatMap (
        v: if builtins.isAttrs v && v._type or null == "merge" then v.values else [ v ]
      ) defined;
      strongest = builtins.foldl' (a: v: if priority v < a then priority v else a) 9999 values;
      kept = map content (builtins.filter (v: priority v == strongest) values);
      first = builtins.head kept;
    in
    if builtins.all isList kept then
      builtins.concatMap (v: if builtins.isAttrs v then v.list else v) (builtins.sort (a: b: order a < order b) kept)
    else if builtins.all builtins.isAttrs kept then
      builtins.mapAttrs (name: _: merge (path ++ [ name ]) (builtins.catAttrs name kept)) (
        builtins.foldl' (a: b: a // b) { } kept
      )
    else if builtins.all (v: v == first) kept then
      first
    else
      throw "conflicting definitions of ${builtins.concatStringsSep "." path}";

  config = merge [ ] (builtins.concatMap definitions ([ nixos ] ++ modules));
in
config
