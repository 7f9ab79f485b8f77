# What packages ask of a platform.
rec {
  elaborate =
    s:
    let
      system = if builtins.isString s then s else s.system;
      parts = builtins.match "([^-]+)-(.+)" system;
      cpu = builtins.elemAt parts 0;
      kernel = builtins.elemAt parts 1;
    in
    {
      inherit system;
      config = "${cpu}-unknown-${kernel}-gnu";
      isAarch64 = cpu == "aarch64";
      isx86_64 = cpu == "x86_64";
      isRiscV64 = cpu == "riscv64";
      isLinux = kernel == "linux";
      isDarwin = kernel == "darwin";
      is64bit = true;
      linuxArch =
        {
          aarch64 = "arm64";
          x86_64 = "x86_64";
          riscv64 = "riscv";
        }
        .${cpu};
      canExecute = other: other.system == system;
      parsed = {
        cpu.name = cpu;
        kernel.name = kernel;
      };
    }
    // (if builtins.isAttrs s then s else { });

  flakeExposed = [
    "aarch64-darwin"
    "aarch64-linux"
    "riscv64-linux"
    "x86_64-darwin"
    "x86_64-linux"
  ];
}
