# The page: static files with nbr as a WebAssembly module in them, of nbr's own package.
{ nbr, examples }:
nbr.overrideAttrs (old: {
  pname = "nbr-site";
  buildPhase = ''
    runHook preBuild
    go run ./site/build -o site.out -examples ${examples}
    runHook postBuild
  '';
  installPhase = ''
    runHook preInstall
    cp -r site.out $out
    runHook postInstall
  '';
  postInstall = "";
  meta = removeAttrs old.meta [ "mainProgram" ];
})
