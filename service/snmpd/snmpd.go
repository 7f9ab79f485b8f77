// Package snmpd tells monitoring systems how the router is, by SNMPv3 alone (RFC 3410), with net-snmp.
//
// Users authenticate by HMAC-SHA-256 (RFC 7860) and are answered encrypted by AES (RFC 3826); each
// sees the parts of the tree that its block names, and no user can set anything. There is no
// community: what asks by SNMPv1 or SNMPv2c gets no answer.
package snmpd

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the snmp block.
func Kind() service.Kind {
	return service.Kind{
		Type: "snmp", Doc: "Tells monitoring systems in some networks how the router is (SNMPv3). The zones of these networks allow snmp.",
		Software: "net-snmp",
		Example: `secret "snmp_auth" {
  path = "/var/lib/secrets/snmp_auth"
}

secret "snmp_privacy" {
  path = "/var/lib/secrets/snmp_privacy"
}

snmp {
  networks = [network.lan]
  contact  = "anna@example.org"
  location = "attic, left of the chimney"

  user "monitor" {
    authentication = secret.snmp_auth
    privacy        = secret.snmp_privacy
    view           = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.31"] # system, interfaces, ifMIB
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "snmp"]
}
`,
		Single: true, Program: service.Alone("snmp", (*SNMP).lower),
		Probes: []probe.Any{agentOf, userOf}, New: func() service.Block { return &SNMP{} },
	}
}

// SNMP is the snmp block.
type SNMP struct {
	conf.Header
	Networks conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could ask. Name a network, or remove the block." doc:"The networks at whose addresses the router answers. Never an upstream."`
	Contact  conf.Value[Text]           `hcl:"contact,optional" doc:"Who looks after the router (sysContact), as in anna@example.org."`
	Location conf.Value[Text]           `hcl:"location,optional" doc:"Where the router is (sysLocation)."`
	Users    []*User                    `hcl:"user,block" doc:"Who may ask. No user can set anything."`
}

// User is a user of the User-based Security Model (RFC 3414), who reads one view (RFC 3415).
type User struct {
	conf.Header
	Name           conf.Value[UserName]     `hcl:"name,label"`
	Authentication conf.Ref[*router.Secret] `hcl:"authentication,required" doc:"The secret that holds the passphrase by which the user authenticates (HMAC-SHA-256): one line of 8 to 128 printable ASCII characters. Where one of the two is missing the user gets no answer."`
	Privacy        conf.Ref[*router.Secret] `hcl:"privacy,required" doc:"The secret that holds the passphrase by which what is asked and answered is encrypted (AES-128): likewise one line of 8 to 128 printable ASCII characters, and another one than for authentication."`
	View           conf.List[OID]           `hcl:"view,required" empty:"error: the user would see nothing. Name a part of the tree, as in 1.3.6.1.2.1.1 for system, or remove the user." doc:"What the user sees: subtrees by their numbers, as in 1.3.6.1.2.1.1 (system), 1.3.6.1.2.1.2 (interfaces) and 1.3.6.1.2.1.31 (ifMIB). Of two that fit, in view or except, the longer one counts."`
	Except         conf.List[OID]           `hcl:"except,optional" empty:"nothing is taken out of view, as without the list. Name a subtree, or remove it." doc:"Subtrees of these that the user does not see."`
}

// UserName is the name of a user of SNMP, and of its view.
type UserName string

var userNameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)

// UnmarshalText wants a name of at most 32 characters (usmUserName of RFC 3414, vacmViewTreeFamilyViewName
// of RFC 3415). net-snmp's own views begin with _.
func (n *UserName) UnmarshalText(b []byte) error {
	if !userNameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no name of a user of SNMP", b), "use letters, digits, - and _, at most 32, and begin with a letter")
	}
	*n = UserName(b)
	return nil
}

// Describe is what the type is in the schema.
func (UserName) Describe() string { return "name of at most 32 characters" }

// Text is a DisplayString (RFC 2579) on one line of snmpd.conf(5).
type Text string

// UnmarshalText wants 1 to 255 printable ASCII characters, which net-snmp reads as they are; what begins
// with # it would read as a comment.
func (t *Text) UnmarshalText(b []byte) error {
	foreign := strings.IndexFunc(string(b), func(c rune) bool { return c < ' ' || c > '~' })
	if len(b) == 0 || len(b) > 255 || foreign >= 0 || strings.TrimSpace(string(b)) != string(b) || b[0] == '#' {
		return diag.Advise(fmt.Errorf("%q is no text of SNMP", b), "write 1 to 255 printable ASCII characters, with no blanks around them, and no # at the beginning")
	}
	*t = Text(b)
	return nil
}

// Describe is what the type is in the schema.
func (Text) Describe() string { return "text of 1 to 255 characters" }

// An OID is an object identifier, which here is a subtree: numbers with dots between them.
type OID string

// most is how many numbers an object identifier can have.
const most = 128

// UnmarshalText wants 2 to 128 numbers of at most 2^32-1 (RFC 3416 section 4.1), of which the first is
// at most 2, and the second then at most 39 (X.660 section 7.6).
func (o *OID) UnmarshalText(b []byte) error {
	text := strings.TrimPrefix(string(b), ".")
	parts := strings.Split(text, ".")
	for i, part := range parts {
		highest := uint64(math.MaxUint32)
		switch {
		case i == 0:
			highest = 2
		case i == 1 && parts[0] < "2":
			highest = 39
		}
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil || n > highest || strconv.FormatUint(n, 10) != part || len(parts) < 2 || len(parts) > most {
			return diag.Advise(fmt.Errorf("%q is no object identifier", b), "write its numbers, 2 to 128 with dots between them, as in 1.3.6.1.2.1.1 for system: snmptranslate -On SNMPv2-MIB::system prints those of a name")
		}
	}
	*o = OID(text)
	return nil
}

// Describe is what the type is in the schema.
func (OID) Describe() string { return "object identifier, as in 1.3.6.1.2.1.1" }

// below tells whether the object is the subtree of another or in it.
func (o OID) below(top OID) bool { return o == top || strings.HasPrefix(string(o), string(top)+".") }

// start is what all objects come after.
const start OID = "0.0"

// end is after all that is in the subtree. At the most numbers nothing else is in it.
func (o OID) end() OID {
	if strings.Count(string(o), ".")+1 == most {
		return o
	}
	return o + "." + OID(strconv.FormatUint(math.MaxUint32, 10))
}

// before is what the object comes after at once, and then all that is in its subtree. No object has two
// numbers alone.
func (o OID) before() OID {
	i := strings.LastIndexByte(string(o), '.')
	n, err := strconv.ParseUint(string(o[i+1:]), 10, 32)
	switch {
	case strings.IndexByte(string(o), '.') == i:
		return o
	case err != nil || n == 0:
		return o[:i]
	}
	return (o[:i+1] + OID(strconv.FormatUint(n-1, 10))).end()
}

// sees tells whether the user may read an object: of the subtrees that it is in, the longest says it
// (RFC 3415 section 4).
func (u *User) sees(o OID) bool {
	longest, seen := OID(""), false
	for _, l := range []struct {
		tops []OID
		seen bool
	}{{u.View.All(), true}, {u.Except.All(), false}} {
		for _, top := range l.tops {
			if o.below(top) && len(top) > len(longest) {
				longest, seen = top, l.seen
			}
		}
	}
	return seen
}

// Claim claims the socket and the secrets.
func (b *SNMP) Claim(s *router.Scope) {
	s.Listen(b.Networks.Range, router.Listen{Service: "snmp", Protocol: router.UDP, Port: port, Networks: b.Networks.All(), Unit: unit})
	for _, n := range b.Networks.Items {
		if _, ok := n.Target.FixedIn(router.IPv6); ok {
			// Without a cable the address stays tentative, and snmpd would not bind to it (RFC 4862
			// section 5.4).
			s.Sysctl(n.Range, "net.ipv6.ip_nonlocal_bind", "1")
		}
	}
	for _, u := range b.Users {
		s.Secret(u.Authentication.Range, router.SecretUse{Secret: u.Authentication.Target, For: router.SNMPAuthentication, User: string(u.Name.V), Owner: "root", Unit: unit})
		s.Secret(u.Privacy.Range, router.SecretUse{Secret: u.Privacy.Target, For: router.SNMPPrivacy, User: string(u.Name.V), Owner: "root", Unit: unit})
	}
}

// port is that of SNMP (RFC 3417 section 3).
const port = 161

// addresses are the router's own that it answers at, of which each network has one that is fixed.
// Where others come later, nothing listens on these.
func (b *SNMP) addresses() []netip.Addr {
	var out []netip.Addr
	for _, n := range b.Networks.All() {
		fixed, _ := n.Split()
		for _, p := range fixed {
			out = append(out, p.Addr())
		}
	}
	return out
}

// Judge refuses upstreams, and finds what no user would see.
func (b *SNMP) Judge(*router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "snmpd listens on the router's addresses in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-snmp", n.Range, "SNMP open to the Internet",
			"%s is an upstream, from which passphrases could be guessed without end.", n.Addr),
			"Take it out of networks, and ask through a tunnel.")
	})
	if len(b.Users) == 0 {
		return append(diags, diag.Help(diag.Error("snmp-without-users", b.Def, "SNMP that answers no user",
			"Without a user there are no answers: there are no communities."), "Add a user block, or remove this one."))
	}
	for _, u := range b.Users {
		diags = append(diags, u.judge()...)
	}
	for _, t := range b.told() {
		if t.text.Set && b.reader(t.object) == nil {
			diags = append(diags, diag.Help(diag.Warning("snmp-unseen", t.text.Range, "Text that no user sees",
				"No view has %s, which is %s.", t.name, t.object),
				"Add 1.3.6.1.2.1.1 (system) to the view of a user, or remove this."))
		}
	}
	return diags
}

// judge finds subtrees that take nothing out.
func (u *User) judge() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, e := range u.Except.Items {
		if i := slices.IndexFunc(u.View.Items, func(v conf.Value[OID]) bool { return v.V == e.V }); i >= 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("snmp-except", e.Range, "Subtree that is in view and in except",
				"%s is both what the user sees and what it does not see.", e.V), "Take it out of one of the two."), u.View.Items[i].Range, "in view"))
			continue
		}
		if !slices.ContainsFunc(u.View.All(), func(v OID) bool { return e.V.below(v) }) {
			diags = append(diags, diag.With(diag.Help(diag.Error("snmp-except", e.Range, "Exception of nothing",
				"%s is in no subtree of view, so the user does not see it anyway.", e.V), "Remove it, or write the numbers of what is to be hidden."), u.View.Range, "view"))
		}
	}
	return diags
}

// system is the group with what the router is called and where it is (RFC 3418).
const system OID = "1.3.6.1.2.1.1"

// A toldText is an object whose value is a text of the block.
type toldText struct {
	name   string
	text   conf.Value[Text]
	object OID
}

// told are sysContact and sysLocation (RFC 3418).
func (b *SNMP) told() []toldText {
	return []toldText{
		{"contact", b.Contact, system + ".4.0"},
		{"location", b.Location, system + ".6.0"},
	}
}

// reader is the first user who sees an object, or nil.
func (b *SNMP) reader(o OID) *User {
	i := slices.IndexFunc(b.Users, func(u *User) bool { return u.sees(o) })
	if i < 0 {
		return nil
	}
	return b.Users[i]
}
