package kea

import (
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A client6 is who asks by DHCPv6.
type client6 struct {
	Link string
	MAC  string // empty for any that no host has, and so is the DUID
	DUID string
	// Stateless is of one who asks for neither an address nor a prefix.
	Stateless bool
}

// MarshalText writes it as in "br-lan", "br-lan stateless", "br-lan 02:00:00:00:00:01" and
// "br-lan duid 00:03:…".
func (c client6) MarshalText() ([]byte, error) {
	id := c.MAC
	switch {
	case c.DUID != "":
		id = "duid " + c.DUID
	case c.Stateless:
		id = "stateless"
	}
	return []byte(strings.TrimSpace(c.Link + " " + id)), nil
}

// advice is what a DHCPv6 server answers to one who asks for an address, a prefix and the rest
// (RFC 8415 section 18.3.9), or for the rest alone (section 18.3.6). Times are in seconds.
type advice struct {
	Answered  bool     `json:"answered"`
	Addresses []string `json:"addresses,omitempty"`
	Prefixes  []string `json:"prefixes,omitempty"`
	Preferred int64    `json:"preferred,omitempty"` // of all of these the shortest
	Valid     int64    `json:"valid,omitempty"`
	DNS       []string `json:"dns,omitempty"`
	Domains   []string `json:"domains,omitempty"`
}

// told asks what a client is told.
var told = &probe.Probe[client6, advice]{Name: "kea.told", Active: true, Look: seekAdvice}
