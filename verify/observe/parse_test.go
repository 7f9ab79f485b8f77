package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsed is a table test of a parser: what it makes of a text, or a part of the error.
type parsed struct {
	name, text string
	want       any
	err        string
}

func check(t *testing.T, parse func([]byte) (any, error), tests []parsed) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse([]byte(tt.text))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, error %v; want an error with %q", got, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCompatible(t *testing.T) {
	check(t, func(b []byte) (any, error) { return parseCompatible(b) }, []parsed{
		{"a BPI-R4", "bananapi,bpi-r4\x00mediatek,mt7988a\x00", []string{"bananapi,bpi-r4", "mediatek,mt7988a"}, ""},
		{"one", "x\x00", []string{"x"}, ""},
		{"nothing", "", nil, "NUL"},
		{"cut off", "bananapi,bpi-r4\x00media", nil, "NUL"},
		{"an empty name", "a\x00\x00b\x00", nil, `"" is no name`},
		{"only a NUL", "\x00", nil, `"" is no name`},
		{"no text", "a\nb\x00", nil, "is no name"},
	})
}

func TestMemTotal(t *testing.T) {
	check(t, func(b []byte) (any, error) { return parseMemTotal(b) }, []parsed{
		{"8 GB", "MemTotal:        8130056 kB\nMemFree:         1 kB\n", uint64(8130056), ""},
		{"nothing", "", nil, "no MemTotal"},
		{"another unit", "MemTotal: 8 GB\n", nil, "no MemTotal"},
		{"cut off", "MemTotal:    81", nil, "no MemTotal"},
		{"huge", "MemTotal: 99999999999999999999 kB\n", nil, "out of range"},
		{"negative", "MemTotal: -1 kB\n", nil, "invalid syntax"},
	})
}

func TestKconfig(t *testing.T) {
	check(t, func(b []byte) (any, error) { return parseKconfig(b) }, []parsed{
		{
			"a kernel's", "#\n# Linux/arm64 6.18.0 Kernel Configuration\n#\nCONFIG_NET_DSA=y\nCONFIG_WIREGUARD=m\n# CONFIG_IPX is not set\n\nCONFIG_HZ=250\nCONFIG_LOCALVERSION=\"-a \\\"b\\\\c\"\nCONFIG_EMPTY=\"\"\n",
			map[string]string{"NET_DSA": "y", "WIREGUARD": "m", "HZ": "250", "LOCALVERSION": `-a "b\c`, "EMPTY": ""},
			"",
		},
		{"no options", "# CONFIG_IPX is not set\n", nil, "no kernel options"},
		{"nothing", "", nil, "no kernel options"},
		{"cut off", "CONFIG_A=y\nCONFI", nil, "line 2"},
		{"cut off in a text", "CONFIG_A=y\nCONFIG_B=\"x", nil, "line 2: no end"},
		{"a quote alone", "CONFIG_B=\"\n", nil, "no end"},
		{"no symbol", "CONFIG_=y\n", nil, "not a kernel option"},
		{"another file", "<html>\n", nil, "not a kernel option"},
	})
}

func TestPasswd(t *testing.T) {
	check(t, func(b []byte) (any, error) { a, err := parsePasswd(b); return fmt.Sprint(a), err }, []parsed{
		{"NixOS", "root:x:0:0:System administrator:/root:/run/current-system/sw/bin/bash\n\n# x\nkea:x:224:224::/var/empty:/run/current-system/sw/bin/nologin\n", "[{root 0} {kea 224}]", ""},
		{"nothing", "", nil, "no accounts"},
		{"cut off", "root:x:0:0::/root:/bin/sh\nkea:x:2", nil, "line 2 is no account"},
		{"no number", "root:x:zero:0::/root:/bin/sh\n", nil, `"zero"`},
		{"too large a number", "root:x:4294967296:0::/root:/bin/sh\n", nil, "no user id"},
		{"no name", ":x:0:0::/root:/bin/sh\n", nil, "no account"},
	})
}

func TestSysctlPath(t *testing.T) {
	check(t, func(b []byte) (any, error) { return sysctlPath(string(b)) }, []parsed{
		{"dots", "net.ipv4.ip_forward", "net/ipv4/ip_forward", ""},
		{"slashes", "net/ipv4/ip_forward", "net/ipv4/ip_forward", ""},
		{"an interface with a dot", "net.ipv4.conf.lan0/7.forwarding", "net/ipv4/conf/lan0.7/forwarding", ""},
		{"the same with slashes", "net/ipv4/conf/lan0.7/forwarding", "net/ipv4/conf/lan0.7/forwarding", ""},
		{"one part", "kernel", "kernel", ""},
		{"nothing", "", nil, "not the name"},
		{"upwards", "net.//.//.x", nil, "not the name"},
		{"upwards with slashes", "net/../../etc/shadow", nil, "not the name"},
		{"from the root", "/etc/shadow", nil, "not the name"},
		{"a dot at the end", "net.ipv4.", nil, "not the name"},
		{"a NUL", "net.\x00", nil, "not the name"},
	})
}

func TestTables(t *testing.T) {
	check(t, func(b []byte) (any, error) { return parseTables(b) }, []parsed{
		{"two", `{"nftables": [{"metainfo": {"version": "1.1.7"}}, {"table": {"family": "ip", "name": "b", "handle": 1}}, {"table": {"family": "inet", "name": "a", "handle": 2}}]}`, []string{"inet a", "ip b"}, ""},
		{"none", `{"nftables": [{"metainfo": {}}]}`, []string{}, ""},
		{"nothing", "", nil, "EOF"},
		{"cut off", `{"nftables": [{"table": {"fam`, nil, "EOF"},
		{"not a listing", `{}`, nil, `no "nftables"`},
		{"null", `null`, nil, `no "nftables"`},
		{"two listings", `{"nftables": []} {}`, nil, "more than one"},
		{"other words", `{"nftables": ["table"]}`, nil, "cannot unmarshal"},
		{"two kinds", `{"nftables": [{"table": {}, "chain": {}}]}`, nil, "2 kinds"},
		{"an empty one", `{"nftables": [{"table": null}]}`, nil, "an empty table"},
		{"no name", `{"nftables": [{"table": {"family": "ip"}}]}`, nil, `"ip" ""`},
		{"a chain", `{"nftables": [{"chain": {"family": "ip", "name": "x"}}]}`, nil, "a chain"},
		{"deep", strings.Repeat("[", 20000), nil, "exceeded max depth"},
	})
}

func TestCanonical(t *testing.T) {
	check(t, func(b []byte) (any, error) {
		lines, err := listed(fmt.Appendf(nil, `{"nftables": [{"metainfo": {"version": "1"}}, %s]}`, b))
		return strings.Join(lines, "\n"), err
	}, []parsed{
		{"handles go, members are sorted", `{"table": {"name": "nbr", "handle": 7, "family": "inet"}}`, `{"table":{"family":"inet","name":"nbr"}}`, ""},
		{"a rule's counter", `{"rule": {"expr": [{"counter": {"packets": 1, "bytes": 2}}, {"accept": null}], "handle": 3}}`, `{"rule":{"expr":[{"counter":null},{"accept":null}]}}`, ""},
		{"the same by nft -s", `{"rule": {"expr": [{"counter": null}, {"accept": null}], "handle": 9}}`, `{"rule":{"expr":[{"counter":null},{"accept":null}]}}`, ""},
		{"a counter with a name, used by a rule", `{"counter": {"name": "c", "packets": 1, "bytes": 2}}, {"rule": {"expr": [{"counter": "c"}]}}`, `{"counter":{"name":"c"}}` + "\n" + `{"rule":{"expr":[{"counter":"c"}]}}`, ""},
		{"a quota keeps what it allows", `{"quota": {"name": "q", "bytes": 5, "used": 3}}`, `{"quota":{"bytes":5,"name":"q"}}`, ""},
		{"elements of a set", `{"set": {"name": "s", "elem": [{"elem": {"val": "10.0.0.1", "counter": {"packets": 3, "bytes": 4}}}]}}`, `{"set":{"elem":[{"elem":{"counter":null,"val":"10.0.0.1"}}],"name":"s"}}`, ""},
		{"elements that come with packets", `{"set": {"name": "s", "flags": ["timeout"], "elem": ["10.0.0.1"]}}, {"set": {"name": "t", "flags": "dynamic", "elem": [1]}}`, `{"set":{"flags":["timeout"],"name":"s"}}` + "\n" + `{"set":{"flags":"dynamic","name":"t"}}`, ""},
		{"large numbers and signs are kept", `{"rule": {"expr": [18446744073709551615, "<&>"]}}`, `{"rule":{"expr":[18446744073709551615,"<&>"]}}`, ""},
		{"an unknown expression", `{"rule": {"expr": [{"xyzzy": {"handle": 3}}]}}`, `{"rule":{"expr":[{"xyzzy":{"handle":3}}]}}`, ""},
		{"rules keep their order", `{"rule": {"expr": ["b"]}}, {"rule": {"expr": ["a"]}}`, `{"rule":{"expr":["b"]}}` + "\n" + `{"rule":{"expr":["a"]}}`, ""},
	})
}

// Parsers may refuse a text; they may not fall over it.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{
		"", "\x00", "bananapi,bpi-r4\x00mediatek,mt7988a\x00", "MemTotal:        8130056 kB\n", "CONFIG_A=\"x\\\"\"\n",
		"root:x:0:0::/root:/bin/sh\n", "net.ipv4.conf.lan0/7.forwarding",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if names, err := parseCompatible(b); err == nil && strings.Join(names, "\x00")+"\x00" != string(b) {
			t.Errorf("compatible: %q", names)
		}
		if config, err := parseKconfig(b); err == nil && len(config) == 0 {
			t.Error("kconfig: nothing, and no error")
		}
		if accounts, err := parsePasswd(b); err == nil && len(accounts) == 0 {
			t.Error("passwd: nothing, and no error")
		}
		if p, err := sysctlPath(string(b)); err == nil && (strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../")) {
			t.Errorf("sysctl: %q", p)
		}
		_, _ = parseMemTotal(b)
	})
}

// A listing in its canonical form is its own canonical form.
func FuzzNFT(f *testing.F) {
	for _, s := range []string{
		`{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "nbr", "handle": 1}}]}`,
		`{"nftables": [{"rule": {"expr": [{"counter": {"packets": 1, "bytes": 2}}, {"xt": null}]}}]}`,
		`{"nftables": [{"set": {"flags": ["dynamic"], "elem": [{"elem": {"val": 1, "expires": 2}}]}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseTables(b)
		once, err := listed(b)
		if err != nil {
			return
		}
		twice, err := listed([]byte(`{"nftables":[` + strings.Join(once, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(once, twice); d != "" && len(once) > 0 {
			t.Error(d)
		}
	})
}

// listed is what is compared of a listing.
func listed(b []byte) ([]string, error) {
	objects, err := parseListing(b)
	if err != nil {
		return nil, err
	}
	return canonical(objects)
}

func TestModules(t *testing.T) {
	text := "kernel/drivers/net/wireguard/wireguard.ko.xz: kernel/lib/crypto/libchacha.ko.xz\nkernel/net/8021q/8021q.ko:\n\nkernel/fs/nls/nls-utf8.ko.zst: \nREADME\n"
	got := slices.Collect(parseModules([]byte(text)))
	if d := cmp.Diff([]string{"wireguard", "8021q", "nls_utf8"}, got); d != "" {
		t.Error(d)
	}
}
