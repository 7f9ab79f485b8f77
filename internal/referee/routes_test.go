package referee_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// TestRoutesBesideNetworks has IfState make routes that have something to do with a network
// of the router, and asks the kernel where it sends packets to hosts of the network: what
// nbr says of the route must be so.
func TestRoutesBesideNetworks(t *testing.T) {
	t.Parallel()
	const spec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.4.0.1/24"
  ipv6 = "fd00:4::1/64"
}
network "far" {
  link = port.lan2
  ipv4 = "10.5.0.1/24"
  ipv6 = "fd00:5::1/64"
}
zone "lan" { networks = [network.lan, network.far] }
`
	text := "router \"r\" {\n  board = \"bananapi-bpir4\"\n  memory = \"4GiB\"\n  state_version = \"26.05\"\n  console_only = true\n}\n" + spec
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	hosts := []string{"10.4.0.5", "10.4.0.77", "10.4.0.200", "fd00:4::5", "fd00:4::8000:0:0:5"}
	for _, tt := range []struct {
		to     string
		metric int // 0: none
		code   string
		taken  []string // hosts that get no packets any more
	}{
		{"10.4.0.0/24", 0, "route-takes-network", []string{"10.4.0.5", "10.4.0.77", "10.4.0.200"}},
		{"10.4.0.0/24", 1, "useless-route", nil},
		{"10.4.0.0/25", 4294967295, "route-takes-network", []string{"10.4.0.5", "10.4.0.77"}},
		{"10.4.0.77/32", 0, "", []string{"10.4.0.77"}}, // a host that is elsewhere
		{"10.4.0.1/32", 0, "useless-route", nil},
		{"10.0.0.0/8", 0, "", nil},
		{"0.0.0.0/0", 0, "", nil},
		{"fd00:4::/64", 0, "useless-route", nil},
		{"fd00:4::/64", 257, "useless-route", nil},
		{"fd00:4::/64", 256, "route-takes-network", []string{"fd00:4::5", "fd00:4::8000:0:0:5"}},
		{"fd00:4::/65", 0, "route-takes-network", []string{"fd00:4::5"}},
		{"fd00:4::1/128", 0, "useless-route", nil},
	} {
		t.Run(fmt.Sprint(tt.to, " metric ", tt.metric), func(t *testing.T) {
			t.Parallel()
			via := "10.5.0.9"
			if strings.Contains(tt.to, ":") {
				via = "fd00:5::9"
			}
			block := fmt.Sprintf("route \"x\" {\n  to = %q\n  via = %q\n", tt.to, via)
			route := map[string]any{"to": tt.to, "via": via, "dev": "lan2"}
			if tt.metric != 0 {
				block += fmt.Sprintf("  metric = %d\n", tt.metric)
				route["preference"] = tt.metric
			}
			_, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text + block + "}\n")}}, nil)
			code := ""
			for _, d := range diags {
				if c := diag.Code(d); strings.Contains(c, "route") {
					code = c
				}
			}
			if code != tt.code {
				t.Errorf("nbr says %q, want %q", code, tt.code)
			}

			settings := applicable(t, fromText(t, spec))
			settings["routing"] = map[string]any{"routes": []any{route}}
			ifstate := lab.IfState(t)
			ifstate.Ports = dsaPorts
			router := board(t, nil)
			if _, err := ifstate.Try(t, router, toJSON(t, settings), "apply"); err != nil {
				t.Fatal(err)
			}
			var taken []string
			for _, h := range hosts {
				if !strings.Contains(router.Run(t, "ip", "route", "get", h), " dev lan1 ") {
					taken = append(taken, h)
				}
			}
			if !slices.Equal(taken, tt.taken) {
				t.Errorf("the kernel does not send to %v, want %v", taken, tt.taken)
			}
		})
	}
}
