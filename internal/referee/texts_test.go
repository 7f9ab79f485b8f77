package referee_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// TestKeaTakesAnyDescription puts texts that break quoting which is only nearly right into the
// one free text that reaches a daemon's file, all in one configuration.
func TestKeaTakesAnyDescription(t *testing.T) {
	t.Parallel()
	pieces := []string{`"`, `\\`, "\n", "\t", "${x}", "''", "#", "//", "/*", "*/", "}", "]", ",", "<?include \"/etc/shadow\"?>", "\u2028", "漢", "\x7f", "%"}
	var hosts strings.Builder
	n := 0
	for _, a := range pieces {
		for _, b := range pieces {
			n++
			fmt.Fprintf(&hosts, `
  reservation "h%d" {
    mac         = "02:00:00:00:%02x:%02x"
    ipv4        = "10.0.%d.%d"
    description = %s
  }
`, n, n>>8, n&255, 1+n/250, n%250, hclwrite.TokensForValue(cty.StringVal(a+b+a)).Bytes())
		}
	}
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(`
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br-lan" {
  ports = [port.lan1]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "10.0.0.1/16"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["10.0.200.1-10.0.200.99"]
  dns     = ["9.9.9.9"]
` + hosts.String() + "}\n")}})
	router, _ := lan(t, "br-lan 10.0.0.1/16")
	keaRoot(t, g).Run(t, router, "kea-dhcp4", "-t", keaConf)
}
