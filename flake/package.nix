# nbr as a package. The vendor hash is recomputed by a test, from go mod vendor.
{
  buildGoModule,
  lib,
  stdenv,
}:
buildGoModule {
  pname = "nbr";
  version = "0.1.0";

  src = builtins.path {
    path = ./..;
    name = "nbr-source";
    # Tests and their data do not change the program, so they do not rebuild it.
    filter =
      path: _type:
      !(builtins.elem (baseNameOf path) [
        ".ci"
        ".git"
        "out"
        "result"
        "testdata"
      ]);
  };
  vendorHash = "sha256-QCHGse7u5M59pjimDQ7gfoYy/X2fbqdEHNyfwCzpPro=";

  subPackages = [ "cmd/nbr" ];
  env.CGO_ENABLED = 0;
  # urfave/cli without its generator of manual pages, which nbr does not use.
  tags = [ "urfave_cli_no_docs" ];
  ldflags = [
    "-s"
    "-X github.com/nbr-dev/nbr/cmd.version=0.1.0"
  ];
  # The tests start daemons in network namespaces: .ci/run has them.
  doCheck = false;

  # One that was built for another machine cannot say how it is completed.
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
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
