package kea

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Boot is what hosts of some architectures boot.
type Boot struct {
	conf.Header
	Name          conf.Value[router.Name] `hcl:"name,label"`
	Architectures conf.List[Architecture] `hcl:"architectures,required" empty:"error: no host is of it. Name one, or remove it." doc:"Numbers of IANA's list of processor architectures (option 93, RFC 4578 section 2.1), as 0 for BIOS, 7 and 9 for UEFI on x86-64, 11 on arm64, 16 for UEFI by HTTP."`
	File          conf.Value[BootFile]    `hcl:"file,required" doc:"The file that they boot."`
}

// An Architecture is a number of option 93.
type Architecture int

// UnmarshalText wants one of two bytes.
func (a *Architecture) UnmarshalText(b []byte) error {
	return conf.Between(a, b, "number of an architecture", 0, 65535, "")
}

// Describe is what the type is in the schema.
func (Architecture) Describe() string { return "number of an architecture, 0 to 65535" }

// BootFile is a name of a file at a server, or its URL.
type BootFile string

// UnmarshalText refuses what does not go into the field of the header (RFC 2131 section 2).
func (f *BootFile) UnmarshalText(b []byte) error {
	if len(b) == 0 || len(b) > 127 || strings.ContainsFunc(string(b), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return diag.Advise(fmt.Errorf("%q is no name of a boot file", b), "write 1 to 127 characters of ASCII without spaces")
	}
	*f = BootFile(b)
	return nil
}

// Describe is what the type is in the schema.
func (BootFile) Describe() string { return "name of a boot file" }

func judgeNextServer(s conf.Value[router.Addr]) hcl.Diagnostics {
	if !s.Set || s.V.Is4() {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Error("bad-value", s.Range, "Not an IPv4 address", "%s cannot be in a DHCPv4 message.", s.V),
		"Write an IPv4 address.")}
}

// judgeBoot judges what hosts boot.
func (d *DHCP4) judgeBoot() hcl.Diagnostics {
	diags := judgeNextServer(d.NextServer)
	first := map[Architecture]*Boot{}
	for _, b := range d.Boot {
		for _, a := range b.Architectures.Items {
			if before := first[a.V]; before != nil {
				diags = append(diags, diag.With(diag.Help(diag.Error("boot-twice", a.Range, "One architecture twice", "%s has a file for %d already.", before.Addr, a.V),
					"Take it out of one of the two."), before.Def, "%s", before.Addr.String()))
				continue
			}
			first[a.V] = b
		}
	}
	return diags
}

// boots is Kea's test of hosts that are of one of the architectures.
func boots(all []Architecture) string {
	var tests []string
	for _, a := range all {
		tests = append(tests, fmt.Sprintf("option[93].hex == 0x%04x", int(a)))
	}
	return strings.Join(tests, " or ")
}
