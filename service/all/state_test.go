package all_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// unread are the fields of a state that no check of the article's router judges, and
// why. A pattern that fits no field, and one whose fields are judged, fails the test.
var unread = map[string]string{
	`passive`:                           "then questions are skipped, by name",
	`probes\..+\.error`:                 "then nothing is known, which is no failure",
	`probes\.file\.settings\..+LABEL.+`: "how many generations are in the boot menu counts, not how they are called",
	`probes\.firmware\.root\..+\.(bytes|source|subvolume)`:                  "the spec gives no size of the card; only no subvolume at all would be wrong",
	`probes\.nixos\.account\.root\.answer\.(full_name|groups.+)`:            "the spec gives none; only wheel would be wrong",
	`probes\.nixos\.time-zone\..+\.rule`:                                    "what else it is, for people",
	`addrs\[\d\]\.tentative`:                                                "then nothing is known yet",
	`links\.(lan\d|wan|wg0|br-lan)\.(filtering|stp|vlan(_protocol)?)`:       "of bridges and VLANs, which these are not, or not both",
	`links\.(br-lan|wg0)\.(mac_from|parent)`:                                "of hardware and of links on others",
	`units\..+\.restarts`:                                                   "a note",
	`time`:                                                                  "ages are notes",
	`board\.efi`:                                                            "of a PC, which this is not",
	`links\.(lan\d|wan|wg0|br-lan)\.(pci|permanent_mac)`:                    "of ports that the spec knows by them, as those of a PC",
	`board\.compatible\[1\]`:                                                "the SoC; the board's own name is the first",
	`system\.(booted|current)`:                                              "names of generations; their kernels are compared",
	`links\.[^.]+\.(carrier|speed)`:                                         "a cable is no promise of the spec",
	`links\.(lo|end0|end1|end2)\.\w+`:                                       "ports that the spec does not use, the switch's conduit and the loopback",
	`links\.(wan|lan\d|br-lan|end0|wg0)\.mac`:                               "made of the CPU's identity, or of the bridge's name; that it stays is judged by mac_from",
	`links\.(lan\d|wan|wg0|br-lan)\.(alias|tx_queue_length)`:                "the spec gives none",
	`links\.(lan\d|wan|wg0|br-lan)\.table`:                                  "of VRFs, which the spec has none of",
	`links\.lan\d\.port\.state`:                                             "of the cable",
	`addrs\[\d\]\.dynamic`:                                                  "judged where an address is to be a lease's: see addrs[4]",
	`probes\.kea\.offer\.br-lan 02.+\.(dns\[0\]|routers\[0\]|lease|prefix)`: "the same for all hosts of a network, and judged for a client without a reservation",
	`addrs\[[123]\]\.\w+`:                                                   "the kernel's own: link-local and loopback addresses",
	`routes\[[56]\]\.metric`:                                                "the spec gives none",
	`routes\[[1234]\]\.(to|via|link|type|metric|table|weight)`:              "routes of the kernel and of a lease, which are theirs to choose",
	`routes\[0\]\.(via|metric|weight)`:                                      "the lease's choice",
	`routes\[[56]\]\.proto`:                                                 "who made a declared route does not matter",
	`rules\[[01]\]\.proto`:                                                  "who made a declared rule does not matter",
	`modules\.(bridge|dsa_core)`:                                            "built in here, so no file is looked for",
	`units\.[^.]+\.\w+\.result`:                                             "says more where a unit is not active",
	`listeners\[\d\]\.program`:                                              "the program's name is a note; its socket is declared",
	`listeners\[(7|8|9)\]\.(address|protocol)`:                              "sockets of the DHCP server and client and of the kernel, whose promises are the offer, the lease and the tunnel",
	`wireguard\..+\.(endpoint|handshake)`:                                   "where a peer is and when it was there is its own affair",
	`probes\.kea\.offer\..+\.server`:                                        "the router has one server",
	`files\..+\.group`:                                                      "whose the group is does not matter where it has no rights",
	`probes\.knot\.answer\..+ CD\.answer\.(code|answered)`:                  "tells whether the answer beside it tells anything",
	`probes\.knot\.answer\..+failed\.org\. A\.answer\.code`:                 "only NOERROR breaks the promise; another code is the zone's affair",
	`probes\.knot\.answer\..+\.records`:                                     "how many records there are is the zone's affair",
	`firmware\.(four_bg_why|tfa|uboot\w*)`:                                  "what tells so, and versions, which are notes",
	`journal\.bytes`:                                                        "anything below the bound is as good",
	`rulesets\..+\.drops\[\d\]\.\w+`:                                        "what is dropped is a note",
}

// Every field of a state is judged: changed, at least one check fails.
func TestEveryFieldIsJudged(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS("../../testdata/routers/bpi-r4"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	tree := articleState(t, plan)
	if ids := failing(t, plan, tree); len(ids) > 0 {
		t.Fatalf("unchanged, these fail: %q", ids)
	}
	used := map[string]bool{}
	n := 0
	walk("", tree, func(path string, get any, set func(any)) {
		if path == "format_version" {
			return
		}
		n++
		set(changed(get))
		ids := failing(t, plan, tree)
		set(get)
		excuse := ""
		for _, p := range slices.Sorted(maps.Keys(unread)) {
			if regexp.MustCompile(`^` + p + `$`).MatchString(path) {
				excuse = p
			}
		}
		switch {
		case excuse == "" && len(ids) == 0:
			t.Errorf("%s is %v, and %v is as good", path, get, changed(get))
		case excuse != "" && len(ids) == 0:
			used[excuse] = true
		}
	})
	if n < 300 {
		t.Errorf("the state has only %d fields", n)
	}
	for p, why := range unread {
		if !used[p] {
			t.Errorf("%s: every field that fits is judged: %s", p, why)
		}
	}
}

// comment is of a rule of nft's grammar, which is made to look a little like nft's JSON.
var comment = regexp.MustCompile(`(?m)^ *(.*) comment "(.*)"$`)

// articleState is the recorded state, with the rules of today's generator, as JSON.
func articleState(t *testing.T, plan *verify.Plan) map[string]any {
	t.Helper()
	b, err := os.ReadFile("../../testdata/states/bpi-r4.json")
	if err != nil {
		t.Fatal(err)
	}
	var st state.State
	if err := json.Unmarshal(b, &st); err != nil {
		t.Fatal(err)
	}
	tree := full(reflect.ValueOf(st)).(map[string]any)
	rules := map[string]any{}
	for _, n := range plan.Needs() {
		if n.Kind == state.NeedRuleset {
			var lines []any
			for l := range strings.Lines(comment.ReplaceAllString(n.Text, `{"rule":{"comment":"$2","text":"$1"}}`)) {
				lines = append(lines, strings.TrimSuffix(l, "\n"))
			}
			drops := []any{map[string]any{"chain": "input", "packets": 1.0, "bytes": 60.0}}
			rules[n.Name] = map[string]any{"want": slices.Clone(lines), "got": slices.Clone(lines), "drops": drops}
		}
	}
	tree["rulesets"] = rules
	return tree
}

// full is a value as JSON has it, with the fields that are zero. Parts that were not
// looked at are left out.
func full(v reflect.Value) any {
	if raw, ok := v.Interface().(json.RawMessage); ok { // a probe's own form
		var out any
		if err := json.Unmarshal(raw, &out); err != nil {
			panic(err)
		}
		return out
	}
	switch v.Kind() {
	case reflect.Pointer:
		return full(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			f := v.Field(i)
			if k := f.Kind(); (k == reflect.Pointer || k == reflect.Map || k == reflect.Slice) && f.IsNil() {
				continue
			}
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			out[name] = full(f)
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = full(v.MapIndex(k))
		}
		return out
	case reflect.Slice:
		out := []any{}
		for i := range v.Len() {
			out = append(out, full(v.Index(i)))
		}
		return out
	case reflect.Bool:
		return v.Bool()
	case reflect.String:
		return v.String()
	case reflect.Uint64:
		return float64(v.Uint())
	default:
		return float64(v.Int())
	}
}

func failing(t *testing.T, plan *verify.Plan, tree map[string]any) []string {
	t.Helper()
	b, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var st state.State
	if err := json.Unmarshal(b, &st); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(plan, &st)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range results {
		if r.Status == verify.Fail {
			out = append(out, r.ID)
		}
	}
	return out
}

// walk goes through all leaves of a tree in a fixed order.
func walk(path string, v any, leaf func(path string, get any, set func(any))) {
	visit := func(path string, v any, set func(any)) {
		switch v.(type) {
		case map[string]any, []any:
			walk(path, v, leaf)
		default:
			leaf(path, v, set)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			visit(strings.TrimPrefix(path+"."+k, "."), v[k], func(x any) { v[k] = x })
		}
	case []any:
		for i := range v {
			visit(fmt.Sprintf("%s[%d]", path, i), v[i], func(x any) { v[i] = x })
		}
	}
}

// changed is another value of the same kind.
func changed(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return 2*v + 1
	case string:
		if p, err := netip.ParsePrefix(v); err == nil {
			return netip.PrefixFrom(elsewhere(p.Addr()), p.Bits()).String()
		}
		if a, err := netip.ParseAddr(v); err == nil {
			return elsewhere(a).String()
		}
		return "x" + v
	}
	return v
}

// elsewhere is an address in another network.
func elsewhere(a netip.Addr) netip.Addr {
	b := a.AsSlice()
	b[0] ^= 1
	a, _ = netip.AddrFromSlice(b)
	return a
}
