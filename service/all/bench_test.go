package all_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// BenchmarkEval judges a state: the article's router, and one with 500 networks, 10,000
// routes and as many lines of rules.
func BenchmarkEval(b *testing.B) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	article, err := os.ReadFile("../../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		b.Fatal(err)
	}
	recorded, err := os.ReadFile("../../testdata/states/bpi-r4.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, bb := range []struct {
		name             string
		networks, routes int
	}{{"article", 0, 0}, {"large", 500, 10_000}} {
		b.Run(bb.name, func(b *testing.B) {
			var src strings.Builder
			src.Write(article)
			if bb.networks > 0 {
				fmt.Fprintf(&src, "vlan \"v\" {\n for_each = { for i in range(%d) : \"n${i}\" => i }\n link = port.end1\n id = each.value + 2\n}\n"+
					"network \"v\" {\n for_each = { for i in range(%[1]d) : \"n${i}\" => i }\n link = vlan.v[each.key]\n ipv4 = \"10.${floor(each.value / 250)}.${each.value %% 250}.1/24\"\n}\n"+
					"zone \"v\" {\n for_each = { for i in range(%[1]d) : \"n${i}\" => i }\n networks = [network.v[each.key]]\n}\n", bb.networks)
			}
			spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(src.String())}}, nil)
			if diags.HasErrors() {
				b.Fatal(diags)
			}
			var st state.State
			if err := json.Unmarshal(recorded, &st); err != nil {
				b.Fatal(err)
			}
			for i := range bb.networks {
				st.Links[fmt.Sprintf("n%d", i)] = state.Link{Kind: "vlan", Up: true, Carrier: true, Parent: "end1", VLAN: i + 2, MTU: 1500}
				st.Addrs = append(st.Addrs, state.Addr{Link: fmt.Sprintf("n%d", i), Prefix: fmt.Sprintf("10.%d.%d.1/24", i/250, i%250)})
			}
			var lines []string
			for i := range bb.routes {
				st.Routes = append(st.Routes, state.Route{To: fmt.Sprintf("172.16.%d.%d/32", i/250, i%250), Link: "wan", Proto: "bgp"})
				lines = append(lines, fmt.Sprintf(`{"rule":{"chain":"input","comment":"router.hcl:1 zone.v","expr":[{"match":{"right":%d}}]}}`, i))
			}
			st.Rulesets = map[string]state.Ruleset{"inet nbr": {Want: lines, Got: append([]string{}, lines...)}}
			plan := spec.Plan()
			b.ReportMetric(float64(len(plan.Checks)), "checks")
			for b.Loop() {
				fresh := st // as each look makes one
				if _, err := verify.Eval(plan, &fresh); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
