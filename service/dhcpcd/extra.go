package dhcpcd

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// against are the keywords of dhcpcd.conf(5) that say what nbr or the spec says otherwise,
// and what then becomes of it.
var against = map[string]string{
	"allowinterfaces": "dhcpcd would leave other upstreams without an address",
	"denyinterfaces":  "dhcpcd would leave an upstream without an address",
	"interface":       "all lines after it are for that interface alone",
	"profile":         "all lines after it are for that profile alone",
	"ssid":            "all lines after it are for that network alone",
	"noipv4":          "no upstream would get an IPv4 address",
	"nodhcp":          "no upstream would get an IPv4 address",
	"inform":          "an upstream would get no address",
	"static":          "an upstream would have an address that no other part of the spec knows",
	"fallback":        "an upstream could have an address that no other part of the spec knows",
	"noconfigure":     "addresses and routes would not be set",
	"nogateway":       "there would be no default route",
	"noup":            "links would stay down",
	"nohook":          "name servers of the provider would not be taken",
	"release":         "the address would be given back at each stop, and persistent keeps it",
	"hostname":        "the provider would learn the router's name",
	"ipv4only":        "neither prefixes nor addresses by DHCPv6 would be got",
	"ipv6only":        "no upstream would get an IPv4 address",
	"noipv6":          "neither prefixes nor addresses by DHCPv6 would be got",
	"nodhcp6":         "neither prefixes nor addresses by DHCPv6 would be got",
	"ipv6rs":          "router advertisements are the kernel's",
	"ia_pd":           "a prefix block says which prefixes are asked for",
	"ia_na":           "ipv6 = \"dhcp\" of a network says where an address is asked for",
	"destination":     "a prefix block says where prefixes go",
}

// judgeExtra warns of lines against what the router relies on.
func (c *Client) judgeExtra() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range c.Extra.Items {
		keyword, _, _ := strings.Cut(strings.TrimSpace(string(o.V)), " ")
		if why := against[keyword]; why != "" {
			diags = append(diags, diag.With(diag.Help(diag.Warning("extra-overrides", o.Range, "Extra overrides the spec",
				"With %s in the extra of %s %s.", keyword, c.Addr, why),
				"Remove it."), c.Def, "%s", c.Addr.String()))
		}
	}
	return diags
}
