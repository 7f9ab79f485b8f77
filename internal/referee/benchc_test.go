package referee_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
)

// TestBenchC has what this machine's kernel may not have, queues, and a table of neighbours that is
// not this machine's. The tests are in the files guest_*_amd64_test.go.
func TestBenchC(t *testing.T) {
	t.Parallel()
	files := lab.IfStateFiles(t)
	maps.Copy(files, inspectedRules(t))
	maps.Copy(files, pppoeFiles(t))
	maps.Copy(files, fibreFiles(t))
	maps.Copy(files, siteFiles(t))
	maps.Copy(files, dsliteFiles(t))
	maps.Copy(files, vrfFiles(t))
	maps.Copy(files, vpnFiles(t))
	maps.Copy(files, ipsecFiles(t))
	maps.Copy(files, macsecFiles(t))
	maps.Copy(files, idsFiles(t))
	maps.Copy(files, wifiFiles(t))
	maps.Copy(files, enterpriseFiles(t))
	files["/shaper/links"] = write(t, toJSON(t, onVeths(t, fromText(t, shapedRouter))))
	files[ringsFile] = write(t, fromText(t, ringSettings).text(t, "systemd", "services", "nbr-drivers", "script"))
	files[linkKindsFile] = write(t, toJSON(t, onVeths(t, fromText(t, linkKinds))))
	maps.Copy(files, lab.Tools(t, "/usr/sbin/nft", "/usr/bin/ip", "/usr/sbin/tc", "/usr/sbin/bridge", "/usr/bin/busybox", "/usr/bin/mount", "/usr/bin/env", "/usr/bin/bash", "/usr/sbin/ethtool"))
	limits, _ := fromText(t, template).at("boot", "kernel", "sysctl").(map[string]any)
	for i := range 3 {
		files[fmt.Sprintf("/neighbours/%d", i+1)] = write(t, fmt.Sprint(limits[fmt.Sprintf("net.ipv6.neigh.default.gc_thresh%d", i+1)]))
	}
	files["/bin/sh"] = files["/usr/bin/busybox"]
	lab.Guest{
		Arch: lab.AMD64, Copy: files,
		Timeout: time.Hour, // twice that of the tests
		Modules: []string{
			"virtio_net", "veth", "bridge", "8021q", "bonding", "dummy", "vrf", "vxlan", "wireguard", "ip_gre", "sit", "ip6_tunnel", "nf_tables", "nft_ct", "nft_limit", "nft_log", "nf_log_syslog", "nft_masq", "nft_nat", "nft_chain_nat",
			"nft_fib_inet", "nft_reject_inet", "nft_queue", "nfnetlink_queue", "nf_conntrack",
			"xfrm_user", "xfrm_interface", "esp4", "authenc", "echainiv", "seqiv",
			"mac80211_hwsim", "ccm", "cmac", "ctr", "gcm", "macsec",
			"pppoe", "sch_cake", "sch_ingress", "cls_matchall", "act_mirred", "ifb",
		},
	}.Test(t)
}
