package kea

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A client is who asks for an address.
type client struct {
	Link string
	MAC  string // of the client; any that no host has if it is empty
	Arch string // number of its architecture, of one that boots from the network (option 93)
	// V6Only is of one that can live without IPv4 (RFC 8925).
	V6Only bool
	// Brief is of one that asks for nothing but the usual options.
	Brief bool
	// Relay is the address of the router that hands its question over (giaddr).
	Relay string
	// Vendor and User are classes that it says (options 60 and 77).
	Vendor, User Identifier
	// Circuit and Remote are what a switch between says (option 82, RFC 3046).
	Circuit, Remote Identifier
}

// MarshalText writes it as in "br-lan", "br-lan 02:00:00:00:00:01", "br-lan arch 7", "br-lan
// v6-only", "br-lan relay 10.20.0.1 brief" and `br-lan 00:04:13 vendor "snom"`.
func (c client) MarshalText() ([]byte, error) {
	words := []string{c.Link}
	add := func(has bool, word string) {
		if has {
			words = append(words, word)
		}
	}
	add(c.MAC != "", c.MAC)
	add(c.Relay != "", "relay "+c.Relay)
	add(c.Arch != "", "arch "+c.Arch)
	add(c.V6Only, "v6-only")
	add(c.Brief, "brief")
	for _, said := range []struct {
		what string
		is   Identifier
	}{{"vendor", c.Vendor}, {"user", c.User}, {"circuit", c.Circuit}, {"remote", c.Remote}} {
		add(said.is != "", fmt.Sprintf("%s %q", said.what, said.is.String()))
	}
	return []byte(strings.Join(words, " ")), nil
}

// An offer is what a DHCPv4 server answered to a DISCOVER (RFC 2131 section 4.3.1).
type offer struct {
	Answered bool     `json:"answered"`
	Address  string   `json:"address,omitempty"`
	Server   string   `json:"server,omitempty"`
	Prefix   int      `json:"prefix,omitempty"` // bits of the subnet mask
	Routers  []string `json:"routers,omitempty"`
	DNS      []string `json:"dns,omitempty"`
	Domain   string   `json:"domain,omitempty"`
	Lease    int64    `json:"lease,omitempty"` // seconds
	// NextServer and BootFile are what to boot from.
	NextServer string            `json:"next_server,omitempty"`
	BootFile   string            `json:"boot_file,omitempty"`
	Options    map[string]string `json:"options,omitempty"` // others in hexadecimal, by number
}

// option is the value of an option, for people.
func (o offer) option(name OptionName) string {
	switch name {
	case "routers":
		return cmp.Or(strings.Join(o.Routers, ", "), "none")
	case "domain-name-servers":
		return cmp.Or(strings.Join(o.DNS, ", "), "none")
	case "domain-name":
		return name.say(hex.EncodeToString([]byte(o.Domain)))
	}
	return name.say(o.Options[strconv.Itoa(name.code())])
}

func (o offer) nextServer() string { return cmp.Or(o.NextServer, "none") }
func (o offer) bootFile() string   { return cmp.Or(o.BootFile, "none") }

// offerTo asks for an offer to a client.
var offerTo = &probe.Probe[client, offer]{Name: "kea.offer", Active: true, Look: seekOffer}

// other tells whether an option is one of those that a spec may name. Who asks for the one of
// RFC 8925 may get no address.
func other(code int) bool {
	return !slices.Contains(agreed, code) && !slices.Contains([]int{3, 6, 15, codeV6Only}, code)
}

// codeV6Only is the number of the option IPv6-Only Preferred (RFC 8925 section 3.1).
const codeV6Only = 108

// Ports of DHCP (RFC 2131 section 4.1).
const (
	portDHCPServer = 67
	portDHCPClient = 68
)
