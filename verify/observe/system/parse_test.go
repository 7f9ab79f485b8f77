package system

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
)

func TestKconfig(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { return parseKconfig(b) },
		looktest.Is("a kernel's", "#\n# Linux/arm64 6.18.0 Kernel Configuration\n#\nCONFIG_NET_DSA=y\nCONFIG_WIREGUARD=m\n# CONFIG_IPX is not set\n\nCONFIG_HZ=250\nCONFIG_LOCALVERSION=\"-a \\\"b\\\\c\"\nCONFIG_EMPTY=\"\"\n", map[string]string{"NET_DSA": "y", "WIREGUARD": "m", "HZ": "250", "LOCALVERSION": `-a "b\c`, "EMPTY": ""}),
		looktest.Fails("no options", "# CONFIG_IPX is not set\n", "no kernel options"),
		looktest.Fails("nothing", "", "no kernel options"),
		looktest.Fails("cut off", "CONFIG_A=y\nCONFI", "line 2"),
		looktest.Fails("cut off in a text", "CONFIG_A=y\nCONFIG_B=\"x", "line 2: no end"),
		looktest.Fails("a quote alone", "CONFIG_B=\"\n", "no end"),
		looktest.Fails("no symbol", "CONFIG_=y\n", "not a kernel option"),
		looktest.Fails("another file", "<html>\n", "not a kernel option"),
	)
}

func TestPasswd(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { a, err := parsePasswd(b); return fmt.Sprint(a), err },
		looktest.Is("NixOS", "root:x:0:0:System administrator:/root:/run/current-system/sw/bin/bash\n\n# x\nkea:x:224:224::/var/empty:/run/current-system/sw/bin/nologin\n", "[{root 0} {kea 224}]"),
		looktest.Fails("nothing", "", "no accounts"),
		looktest.Fails("cut off", "root:x:0:0::/root:/bin/sh\nkea:x:2", "line 2 is no account"),
		looktest.Fails("no number", "root:x:zero:0::/root:/bin/sh\n", `"zero"`),
		looktest.Fails("too large a number", "root:x:4294967296:0::/root:/bin/sh\n", "no user id"),
		looktest.Fails("no name", ":x:0:0::/root:/bin/sh\n", "no account"),
	)
}

func TestSysctlPath(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { return sysctlPath(string(b)) },
		looktest.Is("dots", "net.ipv4.ip_forward", "net/ipv4/ip_forward"),
		looktest.Is("slashes", "net/ipv4/ip_forward", "net/ipv4/ip_forward"),
		looktest.Is("an interface with a dot", "net.ipv4.conf.lan0/7.forwarding", "net/ipv4/conf/lan0.7/forwarding"),
		looktest.Is("the same with slashes", "net/ipv4/conf/lan0.7/forwarding", "net/ipv4/conf/lan0.7/forwarding"),
		looktest.Is("one part", "kernel", "kernel"),
		looktest.Fails("nothing", "", "not the name"),
		looktest.Fails("upwards", "net.//.//.x", "not the name"),
		looktest.Fails("upwards with slashes", "net/../../etc/shadow", "not the name"),
		looktest.Fails("from the root", "/etc/shadow", "not the name"),
		looktest.Fails("a dot at the end", "net.ipv4.", "not the name"),
		looktest.Fails("a NUL", "net.\x00", "not the name"),
	)
}

func TestModules(t *testing.T) {
	text := "kernel/drivers/net/wireguard/wireguard.ko.xz: kernel/lib/crypto/libchacha.ko.xz\nkernel/net/8021q/8021q.ko:\n\nkernel/fs/nls/nls-utf8.ko.zst: \nREADME\n"
	got := slices.Collect(parseModules([]byte(text)))
	if d := cmp.Diff([]string{"wireguard", "8021q", "nls_utf8"}, got); d != "" {
		t.Error(d)
	}
}

// Parsers may refuse a text; they may not fall over it.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{
		"", "\x00", "CONFIG_A=\"x\\\"\"\n",
		"root:x:0:0::/root:/bin/sh\n", "net.ipv4.conf.lan0/7.forwarding",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if config, err := parseKconfig(b); err == nil && len(config) == 0 {
			t.Error("kconfig: nothing, and no error")
		}
		if accounts, err := parsePasswd(b); err == nil && len(accounts) == 0 {
			t.Error("passwd: nothing, and no error")
		}
		if p, err := sysctlPath(string(b)); err == nil && (strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../")) {
			t.Errorf("sysctl: %q", p)
		}
	})
}
