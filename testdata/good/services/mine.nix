{ ... }: { services.iperf3.enable = true; }
