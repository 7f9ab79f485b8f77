package hostapd

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// Text is an SSID (IEEE 802.11-2020 section 9.4.2.2), in UTF-8.
type Text string

// UnmarshalText wants 1 to 32 bytes that can be printed and read off a screen.
func (s *Text) UnmarshalText(b []byte) error {
	switch {
	case len(b) == 0:
		return diag.Advise(errors.New("the name of the network is empty"), "write the name that clients are to see")
	case len(b) > 32:
		return diag.Advise(fmt.Errorf("%q has %d bytes, and an SSID has at most 32", b, len(b)), "write a shorter one; letters with marks have two bytes or more")
	case !utf8.Valid(b) || strings.ContainsFunc(string(b), func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%q has characters that cannot be printed", b)
	case strings.TrimSpace(string(b)) != string(b):
		return diag.Advise(fmt.Errorf("%q has blanks around it, which people do not see", b), "write %q", strings.TrimSpace(string(b)))
	}
	*s = Text(b)
	return nil
}

// Describe is what the type is in the schema.
func (Text) Describe() string { return "SSID of at most 32 bytes" }

// Country is a country by ISO 3166-1 alpha-2.
type Country string

var countryRE = regexp.MustCompile(`^[A-Z]{2}$`)

// UnmarshalText wants a code that the kernel's rules are known by.
func (c *Country) UnmarshalText(b []byte) error {
	switch {
	case string(b) == "UK":
		return diag.Advise(errors.New("UK is no country in ISO 3166-1"), "write GB")
	case !countryRE.Match(b):
		return diag.Advise(fmt.Errorf("%q is no country", b), "write its two letters of ISO 3166-1, as DE or US")
	}
	*c = Country(b)
	return nil
}

// Describe is what the type is in the schema.
func (Country) Describe() string { return "country by two letters of ISO 3166-1" }

// Band is a band of frequencies.
type Band string

// The bands.
const (
	twoGHz  Band = "2.4GHz"
	fiveGHz Band = "5GHz"
	sixGHz  Band = "6GHz"
)

// UnmarshalText wants one of them.
func (b *Band) UnmarshalText(text []byte) error {
	return conf.OneOf(b, text, "band of Wi-Fi", twoGHz, fiveGHz, sixGHz)
}

// Describe is what the type is in the schema.
func (Band) Describe() string { return "2.4GHz, 5GHz or 6GHz" }

// Channel is the number of a channel of 20 MHz in its band (IEEE 802.11-2020 annex E).
type Channel int

// UnmarshalText wants one that some band has.
func (c *Channel) UnmarshalText(b []byte) error {
	n, err := strconv.Atoi(string(b))
	if err != nil || !slices.ContainsFunc([]Band{twoGHz, fiveGHz, sixGHz}, func(of Band) bool { return slices.Contains(channels(of), n) }) {
		return diag.Advise(fmt.Errorf("%q is no channel of 20 MHz in any band", b), "write one of 1 to 13 (2.4 GHz), 36, 40, 44 and so on (5 GHz), or 1, 5, 9 and so on (6 GHz)")
	}
	*c = Channel(n)
	return nil
}

// Describe is what the type is in the schema.
func (Channel) Describe() string { return "number of a channel" }

// Width is that of a channel.
type Width string

// UnmarshalText wants one that channels have.
func (w *Width) UnmarshalText(b []byte) error {
	return conf.OneOf(w, b, "width of a channel", "20MHz", "40MHz", "80MHz", "160MHz")
}

// Describe is what the type is in the schema.
func (Width) Describe() string { return "20MHz, 40MHz, 80MHz or 160MHz" }

// megahertz is the width as a number.
func (w Width) megahertz() int {
	n, _ := strconv.Atoi(strings.TrimSuffix(string(w), "MHz"))
	return n
}

// Standard is an amendment of IEEE 802.11 that a radio can.
type Standard string

// The standards, of which each has what those before it have.
const (
	n11  Standard = "802.11n"
	ac11 Standard = "802.11ac"
	ax11 Standard = "802.11ax"
)

// UnmarshalText wants one of them.
func (s *Standard) UnmarshalText(b []byte) error {
	return conf.OneOf(s, b, "standard of Wi-Fi", n11, ac11, ax11)
}

// Describe is what the type is in the schema.
func (Standard) Describe() string { return "802.11n, 802.11ac or 802.11ax" }

// Security is how clients get in, and what others can read.
type Security string

// The kinds of security.
const (
	wpa3       Security = "wpa3"
	transition Security = "wpa2-wpa3"
	wpa2       Security = "wpa2"

	wpa3Enterprise Security = "wpa3-enterprise"
	wpa2Enterprise Security = "wpa2-enterprise"

	owe  Security = "owe"
	open Security = "open"
)

// UnmarshalText wants one of them.
func (s *Security) UnmarshalText(b []byte) error {
	return conf.OneOf(s, b, "security of Wi-Fi", wpa3, transition, wpa2, wpa3Enterprise, wpa2Enterprise, owe, open)
}

// Describe is what the type is in the schema.
func (Security) Describe() string {
	return "wpa3, wpa2-wpa3, wpa2, wpa3-enterprise, wpa2-enterprise, owe or open"
}

// password tells whether clients have to know the one of the network.
func (s Security) password() bool { return s == wpa3 || s == transition || s == wpa2 }

// enterprise tells whether a RADIUS server says who gets in (IEEE 802.1X).
func (s Security) enterprise() bool { return s == wpa3Enterprise || s == wpa2Enterprise }

// A scheme is a Security in hostapd's words.
type scheme struct {
	mode string   // services.hostapd.radios.<name>.networks.<name>.authentication.mode
	keys []string // wpa_key_mgmt; none without encryption
	// protected is ieee80211w: 1 says that management frames of clients that can are protected, 2 that
	// others do not get in.
	protected int
}

// schemes are what WPA3 Specification 3.0 sections 2.2, 2.3 and 3 and RFC 8110 want. Clients with WPA2 alone
// may have no PSK-SHA256, which NixOS's modes have alone, so that these get PSK as well. For EAP the module has
// no mode.
var schemes = map[Security]scheme{
	wpa3:           {"wpa3-sae", []string{"SAE"}, 2},
	transition:     {"wpa3-sae-transition", []string{"SAE", "WPA-PSK", "WPA-PSK-SHA256"}, 1},
	wpa2:           {"wpa2-sha256", []string{"WPA-PSK", "WPA-PSK-SHA256"}, 1},
	wpa3Enterprise: {"none", []string{"WPA-EAP-SHA256"}, 2},
	wpa2Enterprise: {"none", []string{"WPA-EAP", "WPA-EAP-SHA256"}, 1},

	owe:  {"none", []string{"OWE"}, 2},
	open: {"none", nil, 0},
}
