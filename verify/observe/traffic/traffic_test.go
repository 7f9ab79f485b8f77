package traffic

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/throughput"
)

func TestProcessors(t *testing.T) {
	// Of Linux 6.12 on four cores. The last two are times of guests, which are part of the first two.
	busy, idle, err := processors([]byte("cpu  74608 2520 24433 1117073 6176 4054 1000 7 11 5\ncpu0 1 2 3 4 5 6 7 8 9 10\n"))
	if err != nil || busy != 74608+2520+24433+4054+1000+7 || idle != 1117073+6176 {
		t.Error(busy, idle, err)
	}
	for _, text := range []string{"", "cpu  1 2 3\n", "cpu  1 2 3 4 5 6 7 x\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 3 -4 5 6 7 8\n"} {
		if busy, idle, err := processors([]byte(text)); err == nil {
			t.Errorf("%q: %d %d", text, busy, idle)
		}
	}
}

func TestOffloaded(t *testing.T) {
	const text = `ipv4     2 tcp      6 431999 ESTABLISHED src=192.168.1.5 dst=9.9.9.9 sport=53124 dport=853 src=9.9.9.9 dst=203.0.113.9 sport=853 dport=53124 [OFFLOAD] mark=0 zone=0 use=3
ipv4     2 udp      17 29 src=192.168.1.5 dst=192.168.1.1 sport=5353 dport=53 [UNREPLIED] src=192.168.1.1 dst=192.168.1.5 sport=53 dport=5353 mark=0 zone=0 use=2
ipv6     10 tcp      6 src=2001:db8::5 dst=2001:db8::9 sport=1 dport=2 src=2001:db8::9 dst=2001:db8::5 sport=2 dport=1 [HW_OFFLOAD] mark=0 zone=0 use=3
`
	if n := offloaded([]byte(text)); n != 2 {
		t.Error(n)
	}
}

func TestCountersOfSwitches(t *testing.T) {
	octets := func(received, sent uint64) *throughput.Octets {
		return &throughput.Octets{Received: received, Sent: sent}
	}
	for _, tt := range []struct {
		name            string
		counters        map[string]uint64
		kernel          throughput.Octets
		processor, port *throughput.Octets
	}{
		{"the MT7530's driver of Linux 6.12", map[string]uint64{"tx_packets": 1, "tx_bytes": 60, "rx_packets": 2, "rx_bytes": 120, "TxBytes": 9000, "RxBytes": 8000}, *octets(120, 60), octets(120, 60), octets(8000, 9000)},
		{"a driver by which the kernel counts the port", map[string]uint64{"tx_bytes": 60, "rx_bytes": 120}, *octets(8000, 9000), octets(120, 60), octets(8000, 9000)},
		{"one that tells nothing", map[string]uint64{"tx_bytes": 60, "rx_bytes": 120}, *octets(120, 60), octets(120, 60), nil},
		{"one that tells nothing, while a packet passes", map[string]uint64{"tx_bytes": 60, "rx_bytes": 1620}, *octets(120, 60), octets(1620, 60), nil},
		{"no port of a switch's", map[string]uint64{"rx_queue_0_drops": 1}, *octets(120, 60), nil, nil},
	} {
		processor, port := ofSwitch(tt.counters, tt.kernel)
		if d := cmp.Diff([]*throughput.Octets{tt.processor, tt.port}, []*throughput.Octets{processor, port}); d != "" {
			t.Error(tt.name, d)
		}
	}
}
