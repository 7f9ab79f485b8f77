package firmware

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/router"
)

func TestOptions(t *testing.T) {
	module := regexp.MustCompile(`^[a-z0-9_]+$`)
	for symbol, o := range Options() {
		if !symbolRE.MatchString(symbol) || strings.HasPrefix(symbol, "CONFIG_") {
			t.Errorf("%q is no symbol", symbol)
		}
		if o.Module != "" && !module.MatchString(o.Module) {
			t.Errorf("%s: %q is no module", symbol, o.Module)
		}
		if o.First != (Series{}) && o.Last != (Series{}) && o.Last.Compare(o.First) < 0 {
			t.Errorf("%s ends before it begins", symbol)
		}
	}
}

// The options that the article's author set for WireGuard: all he needed was one.
func TestArticle(t *testing.T) {
	tests := map[string]string{
		"WIREGUARD":                   "",
		"WIREGUARD_DEBUG":             "needless",
		"NET":                         "needless",
		"INET":                        "needless",
		"NET_UDP_TUNNEL":              "needless",
		"NET_FOU":                     "needless",
		"CRYPTO":                      "needless",
		"CRYPTO_BLKCIPHER":            "absent",
		"CRYPTO_BLAKE2S":              "absent",
		"CRYPTO_CHACHA20":             "needless",
		"CRYPTO_CHACHA20_NEON":        "needless",
		"CRYPTO_CURVE25519":           "needless",
		"CRYPTO_CURVE25519_NEON":      "absent",
		"CRYPTO_CHACHA20POLY1305":     "needless",
		"CRYPTO_LIB_CHACHA20":         "absent",
		"CRYPTO_LIB_POLY1305":         "needless",
		"CRYPTO_LIB_CURVE25519":       "needless",
		"CRYPTO_LIB_CHACHA20POLY1305": "needless",
	}
	for symbol, want := range tests {
		o := Options()[symbol]
		if o == nil {
			t.Errorf("%s is not in the table", symbol)
			continue
		}
		got := ""
		switch {
		case o.Absent != "":
			got = "absent"
		case o.Needless != "":
			got = "needless"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
}

func TestParseOptions(t *testing.T) {
	tests := []struct{ name, data, err string }{
		{"good", `[{"symbol": "A", "kind": "bool", "for": "a"}]`, ""},
		{"twice", `[{"symbol": "A", "kind": "bool", "for": "a"}, {"symbol": "A", "kind": "bool", "for": "a"}]`, "twice"},
		{"unknown field", `[{"symbol": "A", "kid": "bool"}]`, "kid"},
		{"kind", `[{"symbol": "A", "kind": "int", "for": "a"}]`, "kind"},
		{"module of a bool", `[{"symbol": "A", "kind": "bool", "for": "a", "module": "a"}]`, "contradictory"},
		{"hidden without a way", `[{"symbol": "A", "kind": "bool", "for": "a", "hidden": true}]`, "contradictory"},
		{"needs what is not there", `[{"symbol": "A", "kind": "bool", "for": "a", "needs": ["B"]}]`, "leans on B"},
		{"absent and described", `[{"symbol": "A", "kind": "bool", "absent": "gone"}]`, "absent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseOptions([]byte(tt.data))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestOptionIn(t *testing.T) {
	tests := []struct {
		o    Option
		in   Series
		want bool
	}{
		{Option{}, Series{6, 12}, true},
		{Option{First: Series{6, 12}}, Series{6, 12}, true},
		{Option{First: Series{6, 12}}, Series{6, 9}, false},
		{Option{Last: Series{6, 12}}, Series{6, 12}, true},
		{Option{Last: Series{6, 12}}, Series{7, 0}, false},
		{Option{Absent: "never"}, Series{6, 12}, false},
	}
	for _, tt := range tests {
		if got := tt.o.In(tt.in); got != tt.want {
			t.Errorf("%+v in %s: %v", tt.o, tt.in, got)
		}
	}
}

func TestSpanContains(t *testing.T) {
	span := Span{Series{6, 17}, Series{7, 2}}
	for release, want := range map[string]bool{
		"6.17.1": true, "6.18": true, "7.2.13-bpi-r4": true,
		"6.12.63-bpi-r4": false, "6.2.0": false, "7.3-rc1": false, "": false, "linux": false,
	} {
		if got := span.Contains(release); got != want {
			t.Errorf("%q: %v", release, got)
		}
	}
}

func TestKernelConfig(t *testing.T) {
	tests := []struct {
		name   string
		claims []string
		has    []string
		want   []string
	}{
		{"a module", []string{"WIREGUARD"}, nil, []string{"WIREGUARD=module"}},
		{"sorted", []string{"WIREGUARD", "TUN"}, nil, []string{"TUN=module", "WIREGUARD=module"}},
		{"what it needs", []string{"NET_VRF"}, nil, []string{
			"IPV6_MULTIPLE_TABLES=yes", "IP_ADVANCED_ROUTER=yes", "IP_MULTIPLE_TABLES=yes", "NET_L3_MASTER_DEV=yes", "NET_VRF=module",
		}},
		{"what selects it", []string{"NFT_REJECT_INET"}, []string{"NF_TABLES_INET"}, []string{"NFT_REJECT=module"}},
		{"what is there", []string{"NFT_MASQ", "WIREGUARD"}, []string{"NFT_MASQ"}, []string{"WIREGUARD=module"}},
		{"what is needed by what is there", []string{"NF_NAT"}, []string{"NFT_MASQ"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var claims []*router.Kernel
			for _, c := range tt.claims {
				claims = append(claims, &router.Kernel{Symbol: c})
			}
			var got []string
			for _, a := range KernelConfig(claims, tt.has) {
				got = append(got, fmt.Sprintf("%s=%s", a.Symbol, a.Answer))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
