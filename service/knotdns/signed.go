package knotdns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// leastLeft is how long a signature must still be good for, at least. Knot DNS signs for 14 days
// and again more than a day before the end.
const leastLeft = 24 * time.Hour

// check asks whether the zone is signed as the block says.
func (d *DNSSEC) check(z *DNSZone, p *verify.Plan) {
	if d == nil {
		return
	}
	name := dns.Fqdn(string(z.domain()))
	at := func(r hcl.Range) hcl.Range { return cmp.Or(r, d.Def) }
	want := "signed by " + string(d.Algorithm.V) + ", for more than a day to come"
	c := verify.Check{ID: d.Addr.String() + "/signed", Title: string(z.domain()) + " is signed", From: at(d.Algorithm.Range)}
	asks(p, c, query{Server: loopback, Name: name, Type: "SOA"}, want, func(st *state.State, a answer) string {
		by := "signed by " + strings.ToLower(dns.AlgorithmToString[a.Algorithm])
		switch left := time.Duration(a.Until-st.Time) * time.Second; {
		case a.Until == 0:
			return "not signed"
		case left <= 0:
			return by + ", until " + time.Unix(a.Until, 0).UTC().Format(time.RFC3339)
		case left < leastLeft:
			return fmt.Sprintf("%s, for %d h more", by, int(left.Hours()))
		}
		return by + ", for more than a day to come"
	})
	// How the zone says that there is no such name (RFC 5155 section 4).
	chain := map[bool]string{false: "NSEC", true: "NSEC3 without iterations and salt"}
	c = verify.Check{ID: d.Addr.String() + "/nsec3", Title: "how " + string(z.domain()) + " says that there is no such name", From: at(d.NSEC3.Range)}
	asks(p, c, query{Server: loopback, Name: name, Type: "NSEC3PARAM"}, chain[d.NSEC3.V], func(_ *state.State, a answer) string {
		switch a.Data {
		case "":
			return chain[false]
		case "1 0 0 -":
			return chain[true]
		}
		return "NSEC3 with " + a.Data
	})
	if len(d.Parents.Items) == 0 {
		return
	}
	var parents []string
	for _, a := range d.Parents.All() {
		parents = append(parents, parent(z, a))
	}
	runs(p, d.Addr, "parents", "who is asked for the DS record", at(d.Parents.Range), "submission", string(z.Name.V), "parent", strings.Join(parents, " "))
	lifetime := unset
	if d.KSKLifetime.Set {
		lifetime = fmt.Sprint(int(d.KSKLifetime.V))
	}
	runs(p, d.Addr, "ksk_lifetime", "seconds until a key that signs keys is replaced", at(d.KSKLifetime.Range), "policy", string(z.Name.V), "ksk-lifetime", lifetime)
}

// parent is what Knot DNS's configuration calls a server of the zone above.
func parent(z *DNSZone, a router.Addr) string { return "parent-" + string(z.Name.V) + "-" + a.String() }

// settingsOf asks the server that runs for a section of its configuration: lines as in
// "policy[home].nsec3 = on".
var settingsOf = &probe.Probe[string, []string]{Name: "knotdns.settings", Look: lookSettings}

func lookSettings(ctx context.Context, h probe.Host, section string) ([]string, error) {
	out, err := h.Run(ctx, "knotc", "conf-read", section)
	if err != nil {
		return nil, err
	}
	if out.Exit != 0 {
		return nil, errors.New("knotc conf-read ended with " + fmt.Sprint(out.Exit))
	}
	return strings.Split(strings.TrimSpace(string(out.Stdout)), "\n"), nil
}

// unset is what a setting is that the configuration does not have.
const unset = "not set"

// runs adds the check of a setting of the server that runs.
func runs(p *verify.Plan, of conf.Addr, what, title string, from hcl.Range, section, id, item, want string) {
	hint := "knotc conf-read " + section
	c := verify.Check{ID: of.String() + "/" + what, Title: title, From: from}
	verify.Asked(p, c, settingsOf, section, want, hint, func(_ *state.State, lines []string) verify.Verdict {
		got := unset
		for _, line := range lines {
			if v, ok := strings.CutPrefix(line, fmt.Sprintf("%s[%s].%s = ", section, id, item)); ok {
				got = v
			}
		}
		return verify.Compare(want, got, hint)
	})
}
