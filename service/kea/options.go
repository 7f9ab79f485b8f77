package kea

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Option is a DHCPv4 option that clients of a network are told.
type Option struct {
	conf.Header
	Name  conf.Value[OptionName]  `hcl:"name,label"`
	Value conf.List[OptionText]   `hcl:"value,optional" empty:"that is as if it were not there. Give a value, or remove it." doc:"What clients are told, as texts: addresses, numbers, true or false, domains or words, by the option."`
	Hex   conf.Value[OptionBytes] `hcl:"hex,optional" doc:"The bytes of an option in hexadecimal, for those whose form nbr does not know, as in 01:04:c0:a8:01:01."`
	Force conf.Value[bool]        `hcl:"force,optional" default:"false" doc:"Clients are told also if they do not ask for it."`
}

// An OptionName is the name of a DHCPv4 option, or its number.
type OptionName string

// UnmarshalText wants a name that Kea knows, or a number of 1 to 254. One that is known by both
// is known by its name.
func (n *OptionName) UnmarshalText(b []byte) error {
	text := strings.ToLower(string(b))
	if code, err := strconv.Atoi(text); err == nil {
		if code < 1 || code > 254 {
			return diag.Advise(fmt.Errorf("%d is no number of an option", code), "write 1 to 254")
		}
		text = strconv.Itoa(code)
		if i := slices.IndexFunc(standard, func(o standardOption) bool { return o.code == code }); i >= 0 {
			text = standard[i].name
		}
	} else if !slices.ContainsFunc(standard, func(o standardOption) bool { return o.name == text }) {
		return diag.Advise(fmt.Errorf("%q is no option of DHCPv4 that nbr knows", b), "write one such as ntp-servers, or a number and its bytes in hex")
	}
	*n = OptionName(text)
	return nil
}

// Describe is what the type is in the schema.
func (OptionName) Describe() string { return "name or number of a DHCPv4 option" }

// OptionText is a part of an option's value.
type OptionText string

// UnmarshalText refuses what Kea would read otherwise: it knows no escape but that of a comma.
func (t *OptionText) UnmarshalText(b []byte) error {
	if len(b) == 0 || len(b) > 255 || strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }) || strings.TrimSpace(string(b)) != string(b) {
		return diag.Advise(fmt.Errorf("%q cannot be in an option", b), "write 1 to 255 characters of ASCII without \\ and without a space at either end, or the bytes in hex")
	}
	*t = OptionText(b)
	return nil
}

// Describe is what the type is in the schema.
func (OptionText) Describe() string { return "value of a DHCPv4 option" }

// OptionBytes are the bytes of an option, in hexadecimal without colons.
type OptionBytes string

// UnmarshalText wants one to 255 bytes (RFC 2132 section 2).
func (o *OptionBytes) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(strings.ReplaceAll(string(b), ":", ""))
	if err != nil || len(raw) == 0 || len(raw) > 255 {
		return diag.Advise(fmt.Errorf("%q is not 1 to 255 bytes", b), "write them in hexadecimal, as in 01:04:c0:a8:01:01")
	}
	*o = OptionBytes(hex.EncodeToString(raw))
	return nil
}

// Describe is what the type is in the schema.
func (OptionBytes) Describe() string { return "bytes in hexadecimal" }

// A standardOption is one that Kea has a definition of (src/lib/dhcp/std_option_defs.h of 3.0), or
// that is of one form in practice (150, RFC 5859).
type standardOption struct {
	code int
	name string
	kind string // address, uint8, uint16, uint32, int32, bool, text; addresses and domains are lists
	attr string // of dhcp4 that says it
}

// standard are the options that a network may have of its own; those by which clients and
// servers agree on a lease are left out.
var standard = []standardOption{
	{2, "time-offset", "int32", ""},
	{3, "routers", "addresses", ""},
	{4, "time-servers", "addresses", ""},
	{6, "domain-name-servers", "addresses", "dns"},
	{7, "log-servers", "addresses", ""},
	{9, "lpr-servers", "addresses", ""},
	{13, "boot-size", "uint16", ""},
	{15, "domain-name", "text", "domain"},
	{16, "swap-server", "address", ""},
	{17, "root-path", "text", ""},
	{18, "extensions-path", "text", ""},
	{19, "ip-forwarding", "bool", ""},
	{20, "non-local-source-routing", "bool", ""},
	{22, "max-dgram-reassembly", "uint16", ""},
	{23, "default-ip-ttl", "uint8", ""},
	{24, "path-mtu-aging-timeout", "uint32", ""},
	{26, "interface-mtu", "uint16", ""},
	{27, "all-subnets-local", "bool", ""},
	{28, "broadcast-address", "address", ""},
	{31, "router-discovery", "bool", ""},
	{35, "arp-cache-timeout", "uint32", ""},
	{37, "default-tcp-ttl", "uint8", ""},
	{38, "tcp-keepalive-interval", "uint32", ""},
	{40, "nis-domain", "text", ""},
	{41, "nis-servers", "addresses", ""},
	{42, "ntp-servers", "addresses", ""},
	{44, "netbios-name-servers", "addresses", ""},
	{45, "netbios-dd-server", "addresses", ""},
	{46, "netbios-node-type", "uint8", ""},
	{47, "netbios-scope", "text", ""},
	{48, "font-servers", "addresses", ""},
	{49, "x-display-manager", "addresses", ""},
	{64, "nisplus-domain-name", "text", ""},
	{65, "nisplus-servers", "addresses", ""},
	{66, "tftp-server-name", "text", ""},
	{67, "boot-file-name", "text", ""},
	{69, "smtp-server", "addresses", ""},
	{70, "pop-server", "addresses", ""},
	{72, "www-server", "addresses", ""},
	{100, "pcode", "text", ""},
	{101, "tcode", "text", ""},
	{108, "v6-only-preferred", "uint32", "v6_only"},
	{114, "v4-captive-portal", "text", ""},
	{116, "auto-config", "uint8", ""},
	{119, "domain-search", "domains", ""},
	{138, "capwap-ac-v4", "addresses", ""},
	{150, "tftp-server-address", "addresses", ""},
}

// undefined are those that Kea has no name for: it is given their bytes.
var undefined = []int{150}

// agreed are the numbers of options by which clients and servers agree on a lease.
var agreed = []int{1, 12, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 77, 80, 81, 82, 90, 91, 93, 94, 97, 118, 124, 145, 151, 152, 153, 154, 155, 156, 157}

func (n OptionName) standard() (standardOption, bool) {
	i := slices.IndexFunc(standard, func(o standardOption) bool { return o.name == string(n) })
	if i < 0 {
		return standardOption{}, false
	}
	return standard[i], true
}

func (n OptionName) code() int {
	if o, ok := n.standard(); ok {
		return o.code
	}
	code, _ := strconv.Atoi(string(n)) // UnmarshalText has read it
	return code
}

// encode is a value as it goes over the wire (RFC 2132).
func (o standardOption) encode(values []OptionText) ([]byte, error) {
	several := o.kind == "addresses" || o.kind == "domains"
	if len(values) > 1 && !several {
		return nil, fmt.Errorf("%s has one value, and these are %d", o.name, len(values))
	}
	var out []byte
	for _, v := range values {
		text := string(v)
		bits := map[string]int{"uint8": 8, "uint16": 16, "uint32": 32, "int32": 32}[o.kind]
		switch o.kind {
		case "address", "addresses":
			a, err := netip.ParseAddr(text)
			if err != nil || !a.Is4() {
				return nil, fmt.Errorf("%q is no IPv4 address", text)
			}
			out = append(out, a.AsSlice()...)
		case "uint8", "uint16", "uint32", "int32":
			n, err := strconv.ParseInt(text, 10, 64)
			low, high := int64(0), int64(1)<<bits-1
			if o.kind == "int32" {
				low, high = -1<<31, 1<<31-1
			}
			if err != nil || n < low || n > high {
				return nil, fmt.Errorf("%q is no number of %d to %d", text, low, high)
			}
			out = append(out, binary.BigEndian.AppendUint32(nil, uint32(n))[4-bits/8:]...)
		case "bool":
			if text != "true" && text != "false" {
				return nil, fmt.Errorf("%q is neither true nor false", text)
			}
			out = append(out, map[string]byte{"true": 1, "false": 0}[text])
		case "domains":
			var d router.Domain
			if d.UnmarshalText([]byte(text)) != nil {
				return nil, fmt.Errorf("%q is no domain name", text)
			}
			for label := range strings.SplitSeq(strings.TrimSuffix(string(d), "."), ".") {
				out = append(append(out, byte(len(label))), label...)
			}
			out = append(out, 0)
		default:
			out = append(out, text...)
		}
	}
	if len(out) > 255 {
		return nil, fmt.Errorf("%s has %d bytes, and an option has 255 at most (RFC 2132 section 2)", o.name, len(out))
	}
	return out, nil
}

// text is what came over the wire, for people.
func (o standardOption) text(raw []byte) string {
	size := map[string]int{"address": 4, "addresses": 4, "uint8": 1, "uint16": 2, "uint32": 4, "int32": 4, "bool": 1}[o.kind]
	var out []string
	switch {
	case size == 0 && o.kind == "domains":
		for len(raw) > 0 {
			var labels []string
			for len(raw) > 0 && raw[0] > 0 && int(raw[0]) < len(raw) {
				labels, raw = append(labels, string(raw[1:1+raw[0]])), raw[1+raw[0]:]
			}
			if len(raw) == 0 || raw[0] != 0 || len(labels) == 0 {
				return "" // compressed, or no domains
			}
			out, raw = append(out, probe.Printable(strings.Join(labels, "."))), raw[1:]
		}
	case size == 0 || len(raw) == 0 || len(raw)%size != 0:
		return ""
	default:
		for part := range slices.Chunk(raw, size) {
			n := binary.BigEndian.Uint32(append(make([]byte, 4-size), part...))
			switch o.kind {
			case "address", "addresses":
				out = append(out, netip.AddrFrom4([4]byte(part)).String())
			case "bool":
				out = append(out, strconv.FormatBool(n != 0))
			case "int32":
				out = append(out, strconv.Itoa(int(int32(n))))
			default:
				out = append(out, strconv.FormatUint(uint64(n), 10))
			}
		}
	}
	return strings.Join(out, ", ")
}

// say is the value of an option in hexadecimal, for people: in its own form, as text, or as it is.
func (n OptionName) say(value string) string {
	raw, err := hex.DecodeString(value)
	std, known := n.standard()
	switch {
	case value == "":
		return "none"
	case err != nil:
		return value
	case known && std.text(raw) != "":
		return std.text(raw)
	case !strings.ContainsFunc(string(raw), func(r rune) bool { return r < ' ' || r > '~' }):
		return strconv.Quote(string(raw))
	}
	return value
}

// bytes are those of the option; judge has said if there are none.
func (o *Option) bytes() []byte {
	if o.Hex.Set {
		raw, _ := hex.DecodeString(string(o.Hex.V))
		return raw
	}
	std, _ := o.Name.V.standard()
	raw, _ := std.encode(o.Value.All())
	return raw
}

// judgeOptions judges the options of a network, or of a class of its hosts.
func (d *DHCP4) judgeOptions(options []*Option, class bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	place, by := d.place()
	first := map[int]*Option{}
	for _, o := range options {
		std, known := o.Name.V.standard()
		code := o.Name.V.code()
		wrong := func(at hcl.Range, help, detail string, args ...any) {
			diags = append(diags, diag.Help(diag.Error("bad-option", at, "Bad option", detail, args...), "%s", help))
		}
		switch before := first[code]; {
		case before != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("bad-option", o.Def, "One option twice", "%s says what clients are told by option %d already.", before.Addr, code),
				"Make them one."), before.Def, "%s", before.Addr.String()))
		case slices.Contains(agreed, code):
			wrong(o.Def, "Remove it.", "By option %d clients and the server agree on a lease, and the server makes it itself.", code)
		case std.attr != "" && (!class || code == codeV6Only):
			wrong(o.Def, fmt.Sprintf("Write %s = … in %s in place of this block.", std.attr, d.Addr), "%s has an attribute for %s, and an option block is for what it has none for.", d.Addr, std.name)
		case o.Hex.Set == (len(o.Value.Items) > 0):
			wrong(o.Def, "Write value = [\"…\"], or hex = \"…\" with the bytes.", "An option has a value or the bytes of one, and one of the two.")
		case len(o.Value.Items) > 0 && !known:
			wrong(o.Value.Range, "Write its bytes in hex.", "The form of option %d is not known.", code)
		case len(o.Value.Items) > 0:
			if _, err := std.encode(o.Value.All()); err != nil {
				wrong(o.Value.Range, "Correct it, or write the bytes in hex.", "%s.", err)
			}
		}
		if std.name == "routers" {
			for _, v := range o.Value.Items {
				if a, err := netip.ParseAddr(string(v.V)); err == nil && !d.prefix().Contains(a) {
					diags = append(diags, diag.With(diag.Help(diag.Error("server-not-there", v.Range, "Gateway outside the network",
						"Clients in %s cannot reach %s, which is not on their link.", d.prefix().Masked(), a),
						"Name a router in that network, or remove the option: clients are then told of this router."),
						place, "%s", by))
				}
			}
		}
		if first[code] == nil {
			first[code] = o
		}
	}
	return diags
}

// entry is the option in Kea's settings.
func (o *Option) entry() nixgen.Attrs {
	var out nixgen.Attrs
	if o.Force.V {
		out = append(out, nixgen.Bind(nixgen.Bool(true), "always-send"))
	}
	if o.Hex.Set || slices.Contains(undefined, o.Name.V.code()) {
		return append(out,
			nixgen.Bind(nixgen.Int(o.Name.V.code()), "code"),
			nixgen.Bind(nixgen.Bool(false), "csv-format"),
			nixgen.Bind(nixgen.Str(hex.EncodeToString(o.bytes())), "data"))
	}
	var parts []string
	for _, v := range o.Value.All() {
		parts = append(parts, strings.ReplaceAll(string(v), ",", `\,`))
	}
	return append(out,
		nixgen.Bind(nixgen.Str(strings.Join(parts, ", ")), "data"),
		nixgen.Bind(nixgen.Str(o.Name.V), "name"))
}
