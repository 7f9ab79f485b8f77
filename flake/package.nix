# nbr as a package, for this repository's flake and for each generated one. The vendor
# hash is recomputed by a test, from go mod vendor.
{
  buildGoModule,
  lib,
  stdenv,
}:
buildGoModule {
  pname = "nbr";
  version = "0.1.0";

  src = import ./source.nix;
  vendorHash = "sha256-0S11n+6J2lqe/p5zDWyZIYHtz8WLLlZq/pp851O9z+8=";

  subPackages = [ "cmd/nbr" ];
  env.CGO_ENABLED = 0;
  # urfave/cli without its generator of manual pages: a test of cmd makes flake/nbr.1.
  tags = [ "urfave_cli_no_docs" ];
  ldflags = [ "-s" ];
  # The tests start daemons in network namespaces: .ci/run has them.
  doCheck = false;

  # The manual page is in the source: a program that was built for another machine cannot
  # be asked for it, nor say how it is completed.
  postInstall = ''
    install -D -m 644 flake/nbr.1 $out/share/man/man1/nbr.1
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    for shell in bash fish zsh; do
      $out/bin/nbr completion $shell >nbr.$shell
    done
    install -D nbr.bash $out/share/bash-completion/completions/nbr
    install -D nbr.fish $out/share/fish/vendor_completions.d/nbr.fish
    install -D nbr.zsh $out/share/zsh/site-functions/_nbr
  '';

  meta = {
    description = "Turns the HCL spec of a router into a NixOS flake";
    license = lib.licenses.mit;
    mainProgram = "nbr";
  };
}
