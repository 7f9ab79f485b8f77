# A machine with UEFI: how it starts, the image to write on its disk, and a VM to try the
# router in. A hardware-configuration.nix of a router that was installed otherwise says other
# file systems, and wins.
{
  config,
  lib,
  pkgs,
  modulesPath,
  ...
}:
let
  cfg = config.nbr.vm;

  # Upstream is the network of QEMU itself, with DHCP, name servers and NAT. Each other port is
  # a cable in which further VMs of this machine can be, and nothing else.
  card =
    i: port:
    let
      id = "port${toString i}";
      network =
        if port.upstream then
          "user,id=${id}"
        else
          "socket,id=${id},mcast=230.0.0.1:${toString (7300 + i)},localaddr=127.0.0.1";
    in
    [
      "-netdev ${network}"
      "-device virtio-net-pci,netdev=${id},mac=${port.mac}"
    ];

  link = port: {
    name = "10-${port.name}";
    value = {
      matchConfig = {
        Kind = "!*";
        PermanentMACAddress = port.mac;
      };
      linkConfig.Name = port.name;
    };
  };
in
{
  options.nbr.vm = {
    memory = lib.mkOption {
      type = lib.types.ints.positive;
      default = 2048;
      description = "The memory of the VM in MiB.";
    };

    disk = lib.mkOption {
      type = lib.types.ints.positive;
      default = 8192;
      description = "The size of the VM's disk in MiB. It takes what is written to it.";
    };

    ports = lib.mkOption {
      default = [ ];
      description = "The ports of the router, as the VM has them.";
      type = lib.types.listOf (
        lib.types.submodule {
          options = {
            name = lib.mkOption {
              type = lib.types.str;
              description = "The name of the interface.";
            };
            mac = lib.mkOption {
              type = lib.types.str;
              description = "The MAC address.";
            };
            upstream = lib.mkOption {
              type = lib.types.bool;
              description = "Whether the Internet is there.";
            };
          };
        }
      );
    };
  };

  config = {
    boot = {
      loader.systemd-boot.enable = lib.mkDefault true;
      # A disk that is moved to another machine starts there too.
      loader.efi.canTouchEfiVariables = lib.mkDefault false;
      growPartition = lib.mkDefault true;
      # The last one is /dev/console. A machine without a serial port goes on without it.
      kernelParams = [
        "console=ttyS0,115200n8"
        "console=tty0"
      ];
    };
    hardware = {
      enableAllHardware = lib.mkDefault true;
      enableRedistributableFirmware = lib.mkDefault true;
    };

    fileSystems."/" = {
      device = lib.mkDefault "/dev/disk/by-label/nixos";
      fsType = lib.mkDefault "ext4";
      autoResize = lib.mkDefault true;
    };
    fileSystems."/boot" = {
      device = lib.mkDefault "/dev/disk/by-label/ESP";
      fsType = lib.mkDefault "vfat";
      options = lib.mkDefault [
        "fmask=0077"
        "dmask=0077"
      ];
    };

    system.build.image = import (modulesPath + "/../lib/make-disk-image.nix") {
      inherit config lib pkgs;
      name = "nbr-${config.networking.hostName}";
      partitionTableType = "efi";
      format = "raw";
      bootSize = "1G";
      copyChannel = false;
    };

    virtualisation.vmVariant = {
      # Its disk is one file system, and the kernel comes from outside.
      boot.growPartition = lib.mkForce false;
      systemd.network.links = lib.mkForce (lib.listToAttrs (map link cfg.ports));
      services.getty.autologinUser = "root";

      virtualisation = {
        memorySize = cfg.memory;
        diskSize = cfg.disk;
        cores = 2;
        graphics = false;
        useEFIBoot = true;
        qemu.networkingOptions = lib.mkForce (lib.concatLists (lib.imap1 card cfg.ports));
        # By this nbr verify knows that slots and boot loader are not the router's.
        qemu.options = [ "-smbios type=1,manufacturer=nbr,product=VM" ];
      };
    };
  };
}
