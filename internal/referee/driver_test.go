package referee_test

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const portSettings = `
port "wan" {
  alias        = "Anna's Dose 7, $(id) \\"
  tx_queue_length = 321
  cloned_mac   = "02:00:00:00:00:07"
  offloads_off = ["tso", "gro"]
  eee          = false
}
port "end1" {
  cloned_mac   = "02:00:00:00:00:08"
  offloads_off = ["rx", "tx", "sg", "gso", "lro", "rxvlan", "txvlan", "rxhash", "ntuple"]
}
port "lan1" {
  eee = true
  rx_ring = 64
}
port "end2" {
  speed     = 100
  autoneg   = false
  rx_frames = 7
}
bridge "br0" {
  alias = "Büro"
  ports = [port.end2]
}
network "wan" {
  link = port.wan
  ipv4 = "192.0.2.1/24"
}
network "lan" {
  link = port.end1
  ipv4 = "198.51.100.1/24"
}
network "green" {
  link = port.lan1
  ipv4 = "203.0.113.1/24"
}
zone "all" {
  networks = [network.wan, network.lan, network.green]
}
`

// ringsFile is where the unit's script of ringSettings is in a guest.
const ringsFile = "/drivers/rings"

const ringSettings = `
port "wan" {
  rx_ring = 128
  tx_ring = 64
}
network "wan" {
  link = port.wan
  ipv4 = "192.0.2.1/24"
}
zone "all" {
  networks = [network.wan]
}
`

// Ports of a switch and others are what a spec says of them, nbr verify finds it so, and finds each
// of them changed by another hand; what drivers are told they are told again. That a veth has no
// EEE is wrong where there is to be some, and right elsewhere. The port that comes later is a tap, which
// has a speed and interrupts after a number of packets. IfState makes the bridge without its alias, and
// finds nothing to do about that.
func TestPortSettings(t *testing.T) {
	t.Parallel()
	g := fromText(t, portSettings)
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(template + portSettings)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	host := nstest.New(t, "host")
	router := board(t, map[string]*nstest.NS{"wan": host})
	router.Run(t, "ethtool", "-K", "wan", "gro", "on")
	apply(t, ifstate, router, g)
	ip(t, router, "link del end2\ntuntap add end2 mode tap\n")
	// are wants these to fail, beside the EEE and the rings that no veth has.
	are := func(want ...string) error {
		want = append(want, "port.lan1/eee: the driver has none", "port.lan1/rx_ring: the driver has none")
		var got []string
		for _, f := range failures(t, plan, router) {
			if id, seen, _ := strings.Cut(f, ": "); strings.HasSuffix(id, "/tso") {
				f = id + ": " + strings.ReplaceAll(seen, "tx-tcp-accecn-segmentation, ", "") // since Linux 6.18
			}
			got = append(got, f)
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			return errors.New(d)
		}
		return nil
	}
	if err := are("port.wan/offloads_off/tso: tx-tcp-segmentation, tx-tcp-ecn-segmentation, tx-tcp-mangleid-segmentation, tx-tcp6-segmentation", "port.wan/offloads_off/gro: rx-gro",
		"port.end1/offloads_off/rx: rx-checksum", "port.end1/offloads_off/tx: tx-checksum-ip-generic, tx-checksum-sctp",
		"port.end1/offloads_off/sg: tx-scatter-gather, tx-scatter-gather-fraglist", "port.end1/offloads_off/gso: tx-generic-segmentation",
		"port.end1/offloads_off/rxvlan: rx-vlan-hw-parse", "port.end1/offloads_off/txvlan: tx-vlan-hw-insert",
		"port.wan/alias: none", "bridge.br0/alias: none", "port.end2/speed: 10000 Mbit/s", "port.end2/rx_frames: 0",
		"bridge.br0/port/end2: ", "bridge.br0/port/end2/up: down", "bridge.br0/port/end2/flags: no port of a bridge"); err != nil {
		t.Errorf("before the drivers were told (-want +got): %v", err)
	}

	script := g.text(t, "systemd", "services", "nbr-drivers", "script")
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "-s", "bash", write(t, script)).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	unit := router.Command(t, "bash", "-ec", script)
	var said strings.Builder
	unit.Stderr = &said
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	signal := func(s syscall.Signal) { _ = syscall.Kill(-unit.Process.Pid, s) }
	end := func() {
		signal(syscall.SIGKILL)
		_ = unit.Wait()
	}
	t.Cleanup(end)
	ip(t, router, "link set end2 master br0 up\n") // as IfState does it when it runs again
	nstest.Wait(t, func() error { return are() })
	ip(t, host, "addr add 192.0.2.9/24 dev eth0\nlink set eth0 up\n")
	nstest.Wait(t, func() error {
		_, err := host.Try(t, "ping", "-c", "1", "-W", "1", "192.0.2.1")
		return err
	})
	if mac := host.Run(t, "ip", "neigh", "show", "192.0.2.1"); !strings.Contains(mac, "02:00:00:00:00:07") {
		t.Errorf("the host behind the port knows the router as %s", mac)
	}

	run := func(line ...string) { router.Run(t, line[0], line[1:]...) }
	signal(syscall.SIGSTOP)
	for _, tt := range []struct {
		change, back string
		want         []string
	}{
		{"ip link set wan alias Kabel", "", []string{"port.wan/alias: Kabel"}},
		{"ip link set br0 alias Kabel", "ip link set br0 alias Büro", []string{"bridge.br0/alias: Kabel"}},
		{"ip link set wan txqueuelen 322", "ip link set wan txqueuelen 321", []string{"port.wan/tx_queue_length: 322 packets"}},
		{"ethtool -C end2 rx-frames 8", "ethtool -C end2 rx-frames 7", []string{"port.end2/rx_frames: 8"}},
		{"ethtool -s end2 speed 10", "ethtool -s end2 speed 100", []string{"port.end2/speed: 10 Mbit/s"}},
		{"ethtool -s end2 autoneg on", "ethtool -s end2 autoneg off", []string{"port.end2/autoneg: on"}},
		{"ip link set wan address 02:00:00:00:00:77", "ip link set wan address 02:00:00:00:00:07", []string{"port.wan/cloned_mac: 02:00:00:00:00:77"}},
		{"ip link set end1 address 02:00:00:00:00:78", "ip link set end1 address 02:00:00:00:00:08", []string{"port.end1/cloned_mac: 02:00:00:00:00:78"}},
		{"ethtool -K wan gro on", "ethtool -K wan gro off", []string{"port.wan/offloads_off/gro: rx-gro"}},
		{"ethtool -K wan tx-tcp6-segmentation on", "ethtool -K wan tso off", []string{"port.wan/offloads_off/tso: tx-tcp6-segmentation"}},
		{"ethtool -K end1 rx on", "ethtool -K end1 rx off", []string{"port.end1/offloads_off/rx: rx-checksum"}},
		{"ethtool -K end1 rxvlan on", "ethtool -K end1 rxvlan off", []string{"port.end1/offloads_off/rxvlan: rx-vlan-hw-parse"}},
		{"ethtool -K end1 txvlan on", "ethtool -K end1 txvlan off", []string{"port.end1/offloads_off/txvlan: tx-vlan-hw-insert"}},
		{"ethtool -K end1 tx-checksum-sctp on", "ethtool -K end1 tx off", []string{"port.end1/offloads_off/tx: tx-checksum-sctp"}},
	} {
		run(strings.Fields(tt.change)...)
		if err := are(tt.want...); err != nil {
			t.Errorf("%s (-want +got):\n%v", tt.change, err)
		}
		if tt.back == "" {
			run("ip", "link", "set", "wan", "alias", `Anna's Dose 7, $(id) \`)
			continue
		}
		run(strings.Fields(tt.back)...)
	}

	run("ethtool", "-K", "wan", "gro", "on")
	run("ethtool", "-C", "end2", "rx-frames", "9")
	run("ip", "link", "set", "br0", "alias", "Kabel")
	run("ip", "link", "set", "wan", "alias", "")
	run("ethtool", "-K", "end1", "txvlan", "on", "rxvlan", "on")
	signal(syscall.SIGCONT)
	nstest.Wait(t, func() error { return are() })
	end()
	nothing := []string{"eee of wan: netlink error: Operation not supported", "eee of lan1: netlink error: Operation not supported", "rings of lan1: netlink error: Operation not supported"}
	// ip(8) looks for the other end of a veth among all namespaces of the machine, also those that other tests are
	// about to make.
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(said.String()), "\n"), func(line string) bool {
		return line == "Error: Peer netns reference is invalid."
	})
	if d := cmp.Diff(nothing, lines); d != "" {
		t.Errorf("the unit says, once (-want +got):\n%s", d)
	}
}
