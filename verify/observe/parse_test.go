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

const sockets6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000201A8C0:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
`

func TestSockets(t *testing.T) {
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	check(t, func(b []byte) (any, error) {
		list, err := parseSockets(b)
		out := []string{}
		for _, s := range list {
			out = append(out, fmt.Sprint(s.local, s.remote, s.state, s.inode, s.unread))
		}
		return out, err
	}, []parsed{
		{"tcp", heading + "   0: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15 1 0 100 0 0 10 0\n", []string{"127.0.0.1:631 0.0.0.0:0 10 15 0"}, ""},
		{"tcp6, one of it mapped", sockets6, []string{"[2001:db8::1]:53 [::]:0 10 13 0", "192.168.1.2:22 [::]:0 10 14 0"}, ""},
		{"udp, with a packet in its queue", heading + "   0: 00000000:0035 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 16 2 0 0\n", []string{"0.0.0.0:53 0.0.0.0:0 7 16 768"}, ""},
		{"none", heading, []string{}, ""},
		{"nothing", "", nil, "no heading"},
		{"another file", "Inter-|   Receive\n", nil, "no heading"},
		{"cut off", heading + "   0: 0100007F:0277 00000000:0000 0A", nil, "line 2: too short"},
		{"no port", heading + " 0: 0100007F 00000000:0000 0A 0 0 0 0 0 15", nil, "is no address"},
		{"a long address", heading + " 0: 0100007F0:1 00000000:0000 0A 0 0 0 0 0 15", nil, "is no address"},
		{"no hexadecimal", heading + " 0: 0100007G:1 00000000:0000 0A 0 0 0 0 0 15", nil, "is no address"},
		{"a huge port", heading + " 0: 0100007F:10000 00000000:0000 0A 0 0 0 0 0 15", nil, "is no address"},
		{"a bad state", heading + " 0: 0100007F:1 00000000:0000 XX 0 0 0 0 0 15", nil, "state"},
		{"a bad inode", heading + " 0: 0100007F:1 00000000:0000 0A 0 0 0 0 0 -1", nil, "inode"},
		{"a bad queue", heading + " 0: 0100007F:1 00000000:0000 0A 0 0 0 0 0 15", nil, "queue"},
	})
}

func TestSocketsThatWait(t *testing.T) {
	for line, want := range map[string]bool{
		"tcp 0: 00000000:0016 00000000:0000 0A": true,
		"tcp 0: 00000000:0016 01000000:0016 01": false,
		"udp 0: 00000000:0043 00000000:0000 07": true,
		"udp 0: 0100007F:0043 0100007F:0044 01": false, // connected
		"udp 0: 00000000:0000 00000000:0000 07": false, // not bound
	} {
		protocol, rest, _ := strings.Cut(line, " ")
		s, err := parseSocket(strings.Fields(rest + " 0:0 0 0 0 0 15"))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.waits(protocol); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
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
		"root:x:0:0::/root:/bin/sh\n", "net.ipv4.conf.lan0/7.forwarding", sockets6, "socket:[12]",
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
		sockets, err := parseSockets(b)
		for _, s := range sockets {
			if err == nil && (!s.local.Addr().IsValid() || s.local.Addr().Is4In6()) {
				t.Errorf("socket: %v", s)
			}
		}
		_, _ = parseMemTotal(b)
		_, _ = socketInode(string(b))
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
