package router

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// types are the domain types, each made anew, with texts that it takes (and what
// it then is, when that differs) and texts that it refuses, with a part of the
// message.
var types = []struct {
	name string
	make func() encoding.TextUnmarshaler
	good map[string]string
	bad  map[string]string
}{
	{
		"Name", mk[Name],
		map[string]string{"lan": "", "_x": "", "a-b_c9": "", strings.Repeat("a", 63): ""},
		map[string]string{"": "no name", "9a": "begin with a letter", "-a": "no name", "a b": "no name", "a.b": "no name", strings.Repeat("a", 64): "at most 63", "é": "no name", "a\n": "no name"},
	},
	{
		"Hostname", mk[Hostname],
		map[string]string{"bpi-r4": "", "a": "", "9": "", strings.Repeat("a", 63): ""},
		map[string]string{"": "no host name", "-a": "no -", "a-": "no -", "a_b": "letters", "a.b": "letters", strings.Repeat("a", 64): "at most 63", "a\n": "no host name"},
	},
	{
		"Domain", mk[Domain],
		map[string]string{"home.arpa": "", "a": "", "a.": "a", "_dns.example.org": "", "xn--bcher-kva.example": ""},
		map[string]string{"": "no domain", ".": "no domain", "a..b": "no domain", "-a.b": "no domain", "a b": "no domain", "a\n": "no domain", strings.Repeat("a.", 127) + "a": "no domain", strings.Repeat("a", 64): "no domain"},
	},
	{
		"IfName", mk[IfName],
		map[string]string{"wan": "", "br-lan": "", "eth0.10": "", "fifteen-letters": ""},
		map[string]string{"": "no name", "sixteen-letters-": "15 characters", "a/b": "no name", "a:b": "no name", "-a": "no name", ".": "no name", "a b": "no name", "a\"b": "no name", "a\x00": "no name"},
	},
	{
		"Size", mk[Size],
		map[string]string{"8GiB": "", "4096MiB": "4GiB", "512 MiB": "512MiB", "1KiB": ""},
		map[string]string{"": "no size", "8": "no size", "8GB": "no size", "-8GiB": "no size", "0GiB": "no size", "1.5GiB": "no size", "18446744073709551615KiB": "no size", "GiB": "no size", "8gib": "no size"},
	},
	{
		"MAC", mk[MAC],
		map[string]string{"02:11:22:33:44:55": "", "02-11-22-33-44-AA": "02:11:22:33:44:aa", "0211.2233.4455": "02:11:22:33:44:55"},
		map[string]string{"": "no MAC", "02:11:22:33:44": "no MAC", "02:11:22:33:44:55:66:77": "no MAC", "01:00:5e:00:00:01": "group address", "ff:ff:ff:ff:ff:ff": "group address"},
	},
	{
		"VLANID", mk[VLANID],
		map[string]string{"1": "", "4094": ""},
		map[string]string{"": "no VLAN", "0": "reserved", "4095": "reserved", "-1": "no VLAN", "1.5": "no VLAN", "ten": "no VLAN"},
	},
	{
		"MTU", mk[MTU],
		map[string]string{"576": "", "1500": "", "65535": ""},
		map[string]string{"": "no MTU", "575": "no MTU", "65536": "no MTU", "big": "no MTU"},
	},
	{
		"Port", mk[Port],
		map[string]string{"1": "", "65535": ""},
		map[string]string{"": "no port", "0": "no port", "65536": "no port", "+1": "no port", "http": "no port"},
	},
	{
		"PortRange", mk[PortRange],
		map[string]string{"443": "", "8000-8080": "", "5-5": "5"},
		map[string]string{"": "no port", "-": "no port", "5-": "no port", "9-8": "begins after", "1-2-3": "no port", "0-5": "no port"},
	},
	{
		"Address4", mk[Address4],
		map[string]string{"dhcp": "", "192.168.178.1/24": "", "10.0.0.0/31": "", "192.0.2.1/32": ""},
		map[string]string{"": "neither", "192.168.1.1": "add the prefix length of the network, as in 192.168.1.1/24", "192.168.1.0/24": "as in 192.168.1.1/24", "192.168.1.255/24": "broadcast", "0.0.0.0/0": "neither", "224.0.0.1/4": "neither", "fd00::1/64": "write it as ipv6", "10.0.0.1/33": "neither", "DHCP": "neither", "1.2.3.4/0": "neither"},
	},
	{
		"Address6", mk[Address6],
		map[string]string{"auto": "", "dhcp": "", "fd00::1/64": "", "2001:db8::1/128": ""},
		map[string]string{"": "neither", "192.0.2.1/24": "write it as ipv4", "fd00::1": "as in fd00::1/64", "::/0": "neither", "ff02::1/16": "neither", "::ffff:1.2.3.4/120": "neither", "fe80::1%eth0/64": "neither"},
	},
	{
		"Block", mk[Block],
		map[string]string{"10.0.0.0/8": "", "0.0.0.0/0": "", "2001:db8::/32": ""},
		map[string]string{"": "no address block", "10.0.0.1": "no address block", "10.0.0.1/8": "write the block, 10.0.0.0/8, or the one address, 10.0.0.1/32"},
	},
	{
		"Addr", mk[Addr],
		map[string]string{"192.0.2.1": "", "fe80::1": ""},
		map[string]string{"": "no IP", "192.0.2.256": "no IP", "fe80::1%wan": "no IP", "nas": "no IP", "192.0.2.1/24": "no IP"},
	},
	{
		"AddrRange", mk[AddrRange],
		map[string]string{"192.0.2.1-192.0.2.9": "", "192.0.2.1 - 192.0.2.1": "192.0.2.1-192.0.2.1", "fd00::1-fd00::2": ""},
		map[string]string{"": "no range", "192.0.2.1": "no range", "192.0.2.9-192.0.2.1": "ends before", "192.0.2.1-fd00::1": "no range", "a-b": "no range", "fe80::1%a-fe80::2%a": "no range"},
	},
	{
		"TimeZone", mk[TimeZone],
		map[string]string{"UTC": "", "Europe/Berlin": "", "America/Argentina/Buenos_Aires": ""},
		map[string]string{"": "no time zone", "Local": "no time zone", "Berlin": "no time zone", "../etc/passwd": "no time zone", "/etc/localtime": "no time zone", "europe/berlin": "no time zone"},
	},
	{
		"Path", mk[Path],
		map[string]string{"/run/secrets/wg0": "", "/a": "", "/nix/stores/x": ""},
		map[string]string{"": "no absolute", "/": "no absolute", "run/a": "no absolute", "/run/../a": "no absolute", "/run//a": "no absolute", "/run/a/": "no absolute", "/run/a b": "no absolute", "/run/$a": "no absolute", "/run/a\n": "no absolute", "/nix/store": "everyone", "/nix/store/x": "everyone"},
	},
	{
		"File", mk[File],
		map[string]string{"mine.nix": "", "./mine.nix": "mine.nix", "a/b.age": ""},
		map[string]string{"": "no file", "../a": "no file", "/etc/a": "no file", ".hidden": "no file", "a/.b": "no file", "a/../b": "no file", "a b": "no file", "a/": "no file", "././a": "no file"},
	},
	{
		"SSHKey", mk[SSHKey],
		map[string]string{sshKey: "", "  " + sshKey + " ": sshKey, "from=\"10.0.0.0/8\" " + sshKey: ""},
		map[string]string{"": "no public key", "ssh-ed25519 AAAA": "no public key", sshKey + "\n" + sshKey: "no public key", "# " + sshKey: "no public key"},
	},
	{
		"PasswordHash", mk[PasswordHash],
		map[string]string{"$y$j9T$abc$def": "", "$6$rounds=5000$salt$hash": "", "$2b$05$abc": ""},
		map[string]string{"": "no password hash", "hunter2": "must not stand", "$1$abc$def": "no password hash", "$6$a:b": "no password hash", "$6$a\n": "no password hash"},
	},
	{
		"WireGuardKey", mk[WireGuardKey],
		map[string]string{"X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=": ""},
		map[string]string{"": "no WireGuard key", "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzl=": "no WireGuard key", "AAAA": "no WireGuard key", "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=\n": "no WireGuard key"},
	},
	{
		"Seconds", mk[Seconds],
		map[string]string{"90s": "90", "15m": "900", "12h": "43200", "2d": "172800"},
		map[string]string{"": "no duration", "s": "no duration", "12": "no duration", "0s": "no duration", "-1h": "no duration", "1w": "no duration", "99999999d": "no duration"},
	},
	{"FirstRelease", mk[FirstRelease], map[string]string{"23.05": "", "24.11": "", "26.05": "", "26.11": ""}, map[string]string{"": "no release", "22.11": "write 23.05, 23.11", "25.10": "write 23.05, 23.11"}},
	{"Release", mk[Release], map[string]string{"25.11": "", "26.05": "", "26.11": ""}, map[string]string{"": "no release", "25.05": "write 25.11, 26.05 or 26.11"}},
	{"Action", mk[Action], map[string]string{"accept": "", "drop": "", "reject": ""}, map[string]string{"": "no action", "allow": "write accept, drop or reject"}},
	{"Protocol", mk[Protocol], map[string]string{"tcp": "", "udp": "", "icmp": ""}, map[string]string{"": "no protocol", "TCP": "no protocol"}},
	{"Transport", mk[Transport], map[string]string{"tcp": "", "udp": ""}, map[string]string{"icmp": "write tcp or udp"}},
	{"Source", mk[Source], map[string]string{"file": "", "sops": "", "agenix": ""}, map[string]string{"vault": "write file, sops or agenix"}},
	{"ServiceName", mk[ServiceName], map[string]string{"ssh": "", "dns": ""}, map[string]string{"": "no name of a service", "s s": "no name of a service"}},
	{
		"FlakeURL", mk[FlakeURL],
		map[string]string{"github:nakato/nixos-sbc/main": "", "git+https://example.org/x?ref=main&rev=abc": "", "path:/home/me/x": ""},
		map[string]string{"": "no flake reference", "nixos-sbc": "no flake reference", "http://example.org": "no flake reference", "github:a b": "no flake reference", "github:${a}": "no flake reference", "github:a\"": "no flake reference"},
	},
}

const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"

func mk[T any, P interface {
	*T
	encoding.TextUnmarshaler
}]() encoding.TextUnmarshaler {
	return P(new(T))
}

// text is what a value is once it is read, as it goes into other files.
func text(v encoding.TextUnmarshaler) string {
	return fmt.Sprint(reflect.ValueOf(v).Elem().Interface())
}

func TestTypes(t *testing.T) {
	for _, tt := range types {
		t.Run(tt.name, func(t *testing.T) {
			for in, want := range tt.good {
				v := tt.make()
				if want == "" {
					want = in
				}
				if err := v.UnmarshalText([]byte(in)); err != nil {
					t.Errorf("%q: %s", in, err)
				} else if got := text(v); got != want {
					t.Errorf("%q is %q, want %q", in, got, want)
				}
			}
			for in, want := range tt.bad {
				v := tt.make()
				zero := text(v)
				switch err := v.UnmarshalText([]byte(in)); {
				case err == nil:
					t.Errorf("%q is taken", in)
				case !strings.Contains(err.Error(), want):
					t.Errorf("%q: %s, want %q", in, err, want)
				case text(v) != zero:
					t.Errorf("%q is refused and leaves %s", in, text(v))
				}
			}
		})
	}
}

// TestDescribe wants every type to say what it is: the schema shows it.
func TestDescribe(t *testing.T) {
	for _, tt := range types {
		if tt.name == "Name" { // its own name says it
			continue
		}
		d, ok := reflect.ValueOf(tt.make()).Elem().Interface().(interface{ Describe() string })
		if !ok || d.Describe() == "" {
			t.Errorf("%s does not describe itself", tt.name)
		}
	}
}

// FuzzTypes reads any text as every type. None may panic, and what is taken must
// not break out of the file of another program in which it ends.
func FuzzTypes(f *testing.F) {
	for _, tt := range types {
		for in := range tt.good {
			f.Add(in)
		}
		for in := range tt.bad {
			f.Add(in)
		}
	}
	f.Fuzz(func(t *testing.T, in string) {
		if !utf8.ValidString(in) {
			return // no file with it is read
		}
		for _, tt := range types {
			v := tt.make()
			if v.UnmarshalText([]byte(in)) != nil {
				continue
			}
			out := text(v)
			for _, r := range out {
				if unicode.IsControl(r) {
					t.Errorf("%s takes %q as %q", tt.name, in, out)
				}
			}
			// A key may have options in quotes; only Nix writes it.
			if tt.name != "SSHKey" && strings.ContainsAny(out, "\"'`\\;{}<>|*() ") {
				t.Errorf("%s takes %q as %q", tt.name, in, out)
			}
			if again := tt.make(); tt.name != "Seconds" && (again.UnmarshalText([]byte(out)) != nil || text(again) != out) {
				t.Errorf("%s takes %q as %q and does not take that", tt.name, in, out)
			}
		}
	})
}

func TestKeyWithoutShell(t *testing.T) {
	for options, want := range map[string]string{
		"":                                      "",
		`from="10.0.0.0/8" `:                    "",
		`restrict,pty,environment="command=x" `: "",
		`restrict,command="/bin/false" `:        "command",
		`Command="a, b" `:                       "command",
		"cert-authority ":                       "cert-authority",
	} {
		if got := SSHKey(options + sshKey).NoShell(); got != want {
			t.Errorf("%s: %q", options, got)
		}
	}
}
