package throughput_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/throughput"
)

const spec = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
bridge "br-lan" { ports = [port.lan1, port.lan2, port.end1] }
bridge "br-one" { ports = [port.lan3, port.end2] }
network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "lan" { networks = [network.lan] }
zone "wan" { networks = [network.wan] }
policy "web" {
  from     = [zone.lan]
  to       = [zone.wan]
  action   = "accept"
  masquerade = true
  services = ["https"]
}
policy "out" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
policy "in" {
  from   = [zone.wan]
  to     = [zone.lan]
  action = "drop"
}
`

func load(t *testing.T) *router.Router {
	t.Helper()
	s, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(fstest.MapFS{"router.hcl": {Data: []byte(spec)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s.Router
}

// Packets can stay in a switch between two of its ports in one bridge; a bridge of one port of a
// switch and others has none of these ways. What policies say twice is one way.
func TestCommands(t *testing.T) {
	var b strings.Builder
	if err := throughput.Commands(&b, throughput.Ways(load(t))); err != nil {
		t.Fatal(err)
	}
	const want = `in the switch, bridge.br-lan
  a host at lan1:
    iperf3 -s
  another host at lan2:
    iperf3 -c ADDRESS-OF-THE-FIRST -t 30
    iperf3 -c ADDRESS-OF-THE-FIRST -t 30 -R

routed, policy.web
  a host in zone.wan:
    iperf3 -s
  a host in zone.lan:
    iperf3 -c ADDRESS-OF-THE-FIRST -t 30
    iperf3 -c ADDRESS-OF-THE-FIRST -t 30 -R

`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// A look two seconds after another one: octets that lan1 and lan2 have received, and what of them
// got to the processor.
type look struct {
	port, processor uint64
	busy, idle      uint64
}

// samples are looks at the board's links as a BPI-R4 has them. without takes parts away.
func samples(without func(*throughput.Sample), looks ...look) []throughput.Sample {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	out := []throughput.Sample{{Time: at, Offloaded: 3, Links: links(look{}), Busy: 1000, Idle: 5000}}
	sum := look{}
	for _, l := range looks {
		sum = look{sum.port + l.port, sum.processor + l.processor, sum.busy + l.busy, sum.idle + l.idle}
		at = at.Add(2 * time.Second)
		out = append(out, throughput.Sample{Time: at, Offloaded: 1, Links: links(sum), Busy: 1000 + sum.busy, Idle: 5000 + sum.idle})
	}
	for i := range out {
		if without != nil {
			without(&out[i])
		}
	}
	return out
}

func links(l look) map[string]throughput.Link {
	port := func(n uint64) throughput.Link {
		return throughput.Link{
			Kernel:    throughput.Octets{Received: 1<<40 + l.processor*n, Sent: 1 << 40},
			Processor: &throughput.Octets{Received: 1<<40 + l.processor*n, Sent: 1 << 40},
			Port:      &throughput.Octets{Received: 1<<41 + l.port*n, Sent: 1 << 41},
		}
	}
	nic := throughput.Link{Kernel: throughput.Octets{Received: 7 + 2*l.processor, Sent: 9}}
	return map[string]throughput.Link{"lan1": port(1), "lan2": port(0), "lan3": port(0), "wan": port(0), "end0": nic, "end1": {}, "lo": {}}
}

func TestReports(t *testing.T) {
	r := load(t)
	for _, tt := range []struct {
		name    string
		samples []throughput.Sample
		want    string
	}{
		{
			"the article's test: a gigabit that the processor does not see",
			samples(nil, look{0, 0, 10, 790}, look{240_000_000, 2500, 16, 784}, look{240_000_000, 2500, 16, 784}, look{1000, 1000, 8, 792}),
			`8 seconds, the processor idle for 98 %

PASS in the switch, bridge.br-lan (lan1, lan2)
  for 4 seconds hosts sent 960.0 Mbit/s, of which 0.0 Mbit/s got to the processor, which was idle for 98 %

what the processor had, on average
          received        sent
  end0  0.0 Mbit/s  0.0 Mbit/s
   wan  0.0 Mbit/s  0.0 Mbit/s
  lan1  0.0 Mbit/s  0.0 Mbit/s
  lan2  0.0 Mbit/s  0.0 Mbit/s
  lan3  0.0 Mbit/s  0.0 Mbit/s
  end1  0.0 Mbit/s  0.0 Mbit/s

connections that passed the firewall's rules by, in a flow table: 3 at most
`,
		},
		{
			"a bridge that the driver does not lead through the switch",
			samples(nil, look{240_000_000, 240_000_000, 500, 300}),
			`2 seconds, the processor idle for 38 %

FAIL in the switch, bridge.br-lan (lan1, lan2)
  for 2 seconds hosts sent 960.0 Mbit/s, of which 960.0 Mbit/s got to the processor, which was idle for 38 %

what the processor had, on average
             received        sent
  end0  1920.0 Mbit/s  0.0 Mbit/s
   wan     0.0 Mbit/s  0.0 Mbit/s
  lan1   960.0 Mbit/s  0.0 Mbit/s
  lan2     0.0 Mbit/s  0.0 Mbit/s
  lan3     0.0 Mbit/s  0.0 Mbit/s
  end1     0.0 Mbit/s  0.0 Mbit/s

connections that passed the firewall's rules by, in a flow table: 3 at most
`,
		},
		{
			"a tenth is too much",
			samples(func(s *throughput.Sample) { s.Offloaded = -1; keep(s, "lan1", "lan2") }, look{100_000_000, 10_000_000, 1, 1}),
			`2 seconds, the processor idle for 50 %

FAIL in the switch, bridge.br-lan (lan1, lan2)
  for 2 seconds hosts sent 400.0 Mbit/s, of which 40.0 Mbit/s got to the processor, which was idle for 50 %

what the processor had, on average
           received        sent
  lan1  40.0 Mbit/s  0.0 Mbit/s
  lan2   0.0 Mbit/s  0.0 Mbit/s
`,
		},
		{
			"no host has sent",
			samples(func(s *throughput.Sample) { keep(s, "lan1", "lan2"); s.Offloaded = -1 }, look{2_000_000, 0, 0, 0}),
			`2 seconds, the processor idle for 100 %

UNKNOWN in the switch, bridge.br-lan (lan1, lan2)
  at no time the ports received more than 10.0 Mbit/s: no host has sent

what the processor had, on average
          received        sent
  lan1  0.0 Mbit/s  0.0 Mbit/s
  lan2  0.0 Mbit/s  0.0 Mbit/s
`,
		},
		{
			"a driver that does not tell",
			samples(func(s *throughput.Sample) {
				keep(s, "lan1", "lan2")
				s.Offloaded = -1
				l := s.Links["lan2"]
				l.Port = nil
				s.Links["lan2"] = l
			}, look{240_000_000, 0, 0, 800}),
			`2 seconds, the processor idle for 100 %

UNKNOWN in the switch, bridge.br-lan (lan1, lan2)
  the switch's driver does not tell what its ports received: compare what iperf3 says with what the processor had, below

what the processor had, on average
          received        sent
  lan1  0.0 Mbit/s  0.0 Mbit/s
  lan2  0.0 Mbit/s  0.0 Mbit/s
`,
		},
		{
			"ports that are no switch's, as in a virtual machine",
			samples(func(s *throughput.Sample) { s.Links["lan1"] = throughput.Link{}; keep(s, "lan1"); s.Offloaded = 0 }, look{240_000_000, 0, 0, 800}),
			`2 seconds, the processor idle for 100 %

UNKNOWN in the switch, bridge.br-lan (lan1, lan2)
  lan1 is no port of a switch on this machine

what the processor had, on average
          received        sent
  lan1  0.0 Mbit/s  0.0 Mbit/s

connections that passed the firewall's rules by, in a flow table: 0 at most
`,
		},
		{
			"another machine",
			samples(func(s *throughput.Sample) { keep(s); s.Offloaded = -1 }, look{0, 0, 400, 400}),
			`2 seconds, the processor idle for 50 %

UNKNOWN in the switch, bridge.br-lan (lan1, lan2)
  lan1 is no link of this machine
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := throughput.Judge(r, tt.samples).Text(&b); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, b.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

func keep(s *throughput.Sample, names ...string) {
	kept := map[string]throughput.Link{}
	for _, n := range names {
		if l, there := s.Links[n]; there {
			kept[n] = l
		}
	}
	s.Links = kept
}

// Counters that begin anew have counted what they have since, and not 2^64 less.
func TestCountersThatBeginAnew(t *testing.T) {
	s := samples(nil, look{240_000_000, 0, 1, 1})
	l := s[1].Links["lan1"]
	l.Port, l.Processor = &throughput.Octets{Received: 100_000_000}, &throughput.Octets{Received: 1000}
	s[1].Links["lan1"] = l
	share := throughput.Judge(load(t), s).Shares[0]
	if !share.Stayed() || share.All != 400e6 || share.Processor != 4000 {
		t.Errorf("%+v", share)
	}
}
