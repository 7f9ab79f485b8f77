package strongswan

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Remote is another router, by its address or by its name.
type Remote struct {
	addr netip.Addr
	name string
}

// numericRE fits what only looks like a name: a last part of digits is of an address (RFC 1123
// section 2.1).
var numericRE = regexp.MustCompile(`(^|\.)[0-9]+$`)

// UnmarshalText wants an address that a single host can have, or a domain name.
func (r *Remote) UnmarshalText(b []byte) error {
	const form = "write its address or its name, as in 192.0.2.1 or berlin.example.org"
	if a, err := netip.ParseAddr(string(b)); err == nil {
		if a.Zone() != "" || a.Is4In6() || !a.IsGlobalUnicast() {
			return diag.Advise(fmt.Errorf("%s is no address of another router", a), form)
		}
		*r = Remote{addr: a}
		return nil
	}
	var d router.Domain
	if err := d.UnmarshalText(b); err != nil || numericRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is neither an address nor a name of another router", b), form)
	}
	*r = Remote{name: string(d)}
	return nil
}

// Describe is what the type is in the schema.
func (Remote) Describe() string { return "address or name of another router" }

// String is as the spec writes it.
func (r Remote) String() string {
	if r.addr.IsValid() {
		return r.addr.String()
	}
	return r.name
}

// family is the version of IP of an address.
func (r Remote) family() router.Family {
	switch {
	case !r.addr.IsValid():
		return router.AnyFamily
	case r.addr.Is4():
		return router.IPv4
	}
	return router.IPv6
}

// Identity is who a router is to another one (RFC 7296 section 3.5).
type Identity string

var (
	mailRE = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,64}@(.+)$`)
	// A distinguished name, by the attributes that strongSwan reads (asn1_build_known_oid and
	// x501rdns in src/libstrongswan/utils/identification.c). A comma or an equals sign ends a value.
	subjectRE = regexp.MustCompile(`^((C|ST|L|O|OU|CN|E|DC|serialNumber)=[A-Za-z0-9][A-Za-z0-9 ._@:/()+'-]{0,62}(, |$))+$`)
)

// UnmarshalText wants one of the types that routers have in common. Wildcards, which strongSwan would
// take for any router, are none.
func (i *Identity) UnmarshalText(b []byte) error {
	const form = "write a domain name, an address, a mail address, or the subject of a certificate, as in \"C=DE, O=Example, CN=berlin\""
	text := string(b)
	var d router.Domain
	m := mailRE.FindSubmatch(b)
	a, bad := netip.ParseAddr(text)
	switch {
	case bad == nil && (a.Zone() != "" || a.IsUnspecified() || a.Is4In6()):
		return diag.Advise(fmt.Errorf("%q is no identity of one router", b), form)
	case bad == nil:
		text = a.String()
	case subjectRE.Match(b) && !strings.HasSuffix(text, ", "):
	case m != nil && d.UnmarshalText(m[1]) == nil:
	case d.UnmarshalText(b) == nil && !numericRE.Match(b):
		text = string(d)
	default:
		return diag.Advise(fmt.Errorf("%q is no identity", b), form)
	}
	*i = Identity(text)
	return nil
}

// Describe is what the type is in the schema.
func (Identity) Describe() string { return "identity of IKE" }

// Delay is a number of seconds.
type Delay router.Seconds

// UnmarshalText wants 5s to 1h: a router that is asked more often would be lost with a packet or two.
func (d *Delay) UnmarshalText(b []byte) error {
	var s router.Seconds
	if err := s.UnmarshalText(b); err != nil {
		return err
	}
	if s < 5 || s > 3600 {
		return diag.Advise(fmt.Errorf("%q is too short or too long", b), "write 5s to 1h")
	}
	*d = Delay(s)
	return nil
}

// Describe is what the type is in the schema.
func (Delay) Describe() string { return "duration of 5s to 1h" }

// IKEProposal is what two routers may agree on for IKE, in strongSwan's words.
type IKEProposal string

// ESPProposal is what they may agree on for packets.
type ESPProposal string

// What nbr proposes by itself. The last ones are for routers without AEAD.
var (
	ownIKE = []IKEProposal{
		"aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp384-ecp256-curve25519-modp2048",
		"aes256-aes128-sha384-sha256-ecp384-ecp256-curve25519-modp2048",
	}
	ownESP = []ESPProposal{
		"aes256gcm16-aes128gcm16-ecp384-ecp256-curve25519-modp2048",
		"aes256-aes128-sha256-ecp384-ecp256-curve25519-modp2048",
	}
)

// has tells whether an algorithm is in the proposal.
func (p ESPProposal) has(word string) bool {
	return slices.Contains(strings.Split(string(p), "-"), word)
}

// A role is what an algorithm of a proposal is for.
type role int

const (
	aead role = iota
	cipher
	integrity
	prf
	exchange
)

// algorithms are those of RFC 8221 and RFC 8247 that are not on their way out, by strongSwan's words.
var algorithms = map[string]role{
	"aes128gcm16": aead, "aes192gcm16": aead, "aes256gcm16": aead, "chacha20poly1305": aead,
	"aes128": cipher, "aes192": cipher, "aes256": cipher,
	"sha256": integrity, "sha384": integrity, "sha512": integrity,
	"prfsha256": prf, "prfsha384": prf, "prfsha512": prf,
	"modp2048": exchange, "modp3072": exchange, "modp4096": exchange,
	"ecp256": exchange, "ecp384": exchange, "ecp521": exchange, "curve25519": exchange,
}

// weak are words of what these documents call MUST NOT, SHOULD NOT or MUST-, and what is instead.
var weak = map[string]string{
	"des": "aes256", "3des": "aes256", "blowfish": "aes256", "null": "aes256gcm16",
	"md5": "sha256", "sha1": "sha256", "sha": "sha256", "prfmd5": "prfsha256", "prfsha1": "prfsha256",
	"modp768": "modp2048", "modp1024": "modp2048", "modp1536": "modp2048",
}

// UnmarshalText wants an algorithm for each role of IKE.
func (p *IKEProposal) UnmarshalText(b []byte) error {
	roles, err := read(string(b), "aes256gcm16-prfsha384-ecp384")
	switch {
	case err != nil:
		return err
	case !roles[exchange]:
		return diag.Advise(fmt.Errorf("%q has no group for the exchange of keys", b), "add one, as in %s-ecp256", b)
	case roles[aead] && !roles[prf]:
		return diag.Advise(fmt.Errorf("%q has no pseudo-random function, which IKE needs beside %s", b, strings.Split(string(b), "-")[0]), "add one, as prfsha256")
	}
	*p = IKEProposal(b)
	return nil
}

// Describe is what the type is in the schema.
func (IKEProposal) Describe() string { return "proposal of IKE" }

// UnmarshalText wants algorithms for packets, with or without a group.
func (p *ESPProposal) UnmarshalText(b []byte) error {
	roles, err := read(string(b), "aes256gcm16-ecp384")
	if err == nil && roles[prf] {
		err = diag.Advise(fmt.Errorf("%q has a pseudo-random function, which is of IKE", b), "remove it")
	}
	if err == nil {
		*p = ESPProposal(b)
	}
	return err
}

// Describe is what the type is in the schema.
func (ESPProposal) Describe() string { return "proposal of ESP" }

// read are the roles that the words of a proposal have.
func read(text, like string) (map[role]bool, error) {
	roles := map[role]bool{}
	words := strings.Split(text, "-")
	for i, w := range words {
		of, ok := algorithms[w]
		switch {
		case weak[w] != "":
			return nil, diag.Advise(fmt.Errorf("%q is too weak for IPsec (RFC 8221, RFC 8247)", w), "write %s in its place, and have the other router do the same", weak[w])
		case !ok:
			help := fmt.Sprintf("write algorithms with hyphens between them, as in %s", like)
			var known []string
			for k := range algorithms {
				known = append(known, k)
			}
			slices.Sort(known)
			if s := diag.Suggest(w, known); s != "" {
				help = s
			}
			return nil, diag.Advise(fmt.Errorf("%q is no algorithm of a proposal", w), "%s", help)
		case slices.Contains(words[:i], w):
			return nil, diag.Advise(fmt.Errorf("%q is there twice in %q", w, text), "write it once")
		}
		roles[of] = true
	}
	switch {
	case roles[aead] && (roles[cipher] || roles[integrity]):
		return nil, diag.Advise(fmt.Errorf("%q has algorithms that also authenticate, and others, in one proposal", text), "write two proposals (RFC 7296 section 3.3)")
	case !roles[aead] && !roles[cipher]:
		return nil, diag.Advise(fmt.Errorf("%q does not encrypt", text), "write algorithms with hyphens between them, as in %s", like)
	case !roles[aead] && !roles[integrity]:
		return nil, diag.Advise(fmt.Errorf("%q encrypts without authentication, and others could change what is sent", text), "add sha256, or write %s", like)
	}
	return roles, nil
}

// overhead is what a packet in the tunnel is longer outside of it at most, in bytes: the header of IP,
// of UDP where NAT is on the way, of ESP (8), the initialization vector, padding with two bytes of its
// own, and what authenticates (RFC 4303 section 2, RFC 4106, RFC 3602, RFC 4868).
func overhead(p ESPProposal, outside router.Family) int {
	ip := 40
	if outside == router.IPv4 {
		ip = 20
	}
	size := ip + 8 + 8
	switch {
	case strings.Contains(string(p), "gcm") || p.has("chacha20poly1305"):
		return size + 8 + 3 + 2 + 16
	case p.has("sha512"):
		return size + 16 + 15 + 2 + 32
	case p.has("sha384"):
		return size + 16 + 15 + 2 + 24
	}
	return size + 16 + 15 + 2 + 16
}
