package referee_test

import (
	"maps"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// TestBenchC has what this machine's kernel may not have, such as queues, and what is a
// kernel's and not a namespace's, such as the room for neighbours. The tests are in
// guest_amd64_test.go and guest_neighbours_amd64_test.go.
func TestBenchC(t *testing.T) {
	t.Parallel()
	files := inspectedRules(t)
	maps.Copy(files, lab.Tools(t, "/usr/sbin/nft", "/usr/bin/ip", "/usr/bin/busybox"))
	files["/bin/sh"] = files["/usr/bin/busybox"]
	files["/spec"] = article
	lab.Guest{
		Arch: lab.AMD64, Copy: files,
		Modules: []string{
			"veth", "nf_tables", "nft_ct", "nft_limit", "nft_log", "nf_log_syslog", "nft_masq", "nft_nat", "nft_chain_nat",
			"nft_fib_inet", "nft_reject_inet", "nft_queue", "nfnetlink_queue", "nf_conntrack",
		},
	}.Test(t)
}
