# nbr as a plugin of the Nix evaluator: a WebAssembly module, of nbr's own package.
{ nbr }:
nbr.overrideAttrs (old: {
  pname = "nbr-wasm";
  buildPhase = ''
    runHook preBuild
    GOOS=wasip1 GOARCH=wasm go build -trimpath -ldflags=-s -o nbr.wasm ./cmd/nbr-wasm
    runHook postBuild
  '';
  installPhase = ''
    runHook preInstall
    install -D -m 644 nbr.wasm $out/nbr.wasm
    runHook postInstall
  '';
  postInstall = "";
  meta = removeAttrs old.meta [ "mainProgram" ];
})
