// Package traffic counts what passes links and what the processors do meanwhile.
package traffic

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/throughput"
)

// processors reads the ticks of all processors together: the first line of /proc/stat, whose
// fields are user, nice, system, idle, iowait, irq, softirq and steal (proc_stat(5)); the time of
// guests after them is part of the first two. Waiting for a disk is idle.
func processors(stat []byte) (busy, idle uint64, err error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if i == 3 || i == 4 {
			idle += n
		} else {
			busy += n
		}
	}
	return busy, idle, nil
}

// offloaded counts the connections in a flow table (nf_conntrack_standalone.c of the kernel, ct_seq_show).
func offloaded(conntrack []byte) (n int) {
	for lines := bufio.NewScanner(bytes.NewReader(conntrack)); lines.Scan(); {
		if bytes.Contains(lines.Bytes(), []byte("[OFFLOAD]")) || bytes.Contains(lines.Bytes(), []byte("[HW_OFFLOAD]")) {
			n++
		}
	}
	return n
}

// ofSwitch sorts the counters of a switch's port. The first four are what the processor had of it
// (dsa_user_get_ethtool_stats in net/dsa/user.c). Beside them the MT7530's driver says what the port
// itself had; a driver that does not, and knows it, has the kernel count it in place of the former
// (get_stats64 of struct dsa_switch_ops). Otherwise the kernel has what the processor had, and was
// asked for it before: then it is not more.
func ofSwitch(counters map[string]uint64, kernel throughput.Octets) (processor, port *throughput.Octets) {
	has := func(received, sent string) *throughput.Octets {
		r, there := counters[received]
		s, too := counters[sent]
		if !there || !too {
			return nil
		}
		return &throughput.Octets{Received: r, Sent: s}
	}
	processor, port = has("rx_bytes", "tx_bytes"), has("RxBytes", "TxBytes")
	if port == nil && processor != nil && (kernel.Received > processor.Received || kernel.Sent > processor.Sent) {
		port = &kernel
	}
	return processor, port
}
