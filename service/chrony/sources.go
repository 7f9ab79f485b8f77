package chrony

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A source is a server that chronyd was told of.
type source struct {
	Name string `json:"name"`
	NTS  bool   `json:"nts"` // its answers are to be authenticated (RFC 8915)
}

// sourcesOf asks for the sources in the configuration that a systemd unit starts chronyd
// with. What chronyd itself knows of them, above all whether NTS is used, it tells root
// alone (chronyc(1), authdata).
var sourcesOf = &probe.Probe[string, []source]{Name: "chrony.sources", Look: lookSources}

// configRE is the configuration's path in the command line of chronyd(8).
var configRE = regexp.MustCompile(`\s-f\s*(\S+)`)

func lookSources(_ context.Context, h probe.Host, unit string) ([]source, error) {
	text, err := h.ReadFile("/etc/systemd/system/" + unit)
	if err != nil {
		return nil, err
	}
	path := configRE.FindSubmatch(text)
	if path == nil {
		return nil, errors.New(unit + " names no configuration")
	}
	config, err := h.ReadFile(string(path[1]))
	if err != nil {
		return nil, err
	}
	out := []source{}
	for l := range strings.Lines(string(config)) {
		// server NAME OPTION…, and pool and peer alike (chrony.conf(5)).
		if w := strings.Fields(l); len(w) > 1 && slices.Contains([]string{"server", "pool", "peer"}, strings.ToLower(w[0])) {
			out = append(out, source{w[1], slices.Contains(w[2:], "nts")})
		}
	}
	return out, nil
}

// checkSources adds the check that chronyd asks the servers of the spec, and no others.
func (t *Time) checkSources(p *verify.Plan) {
	if !t.Servers.Set {
		return
	}
	var servers []source
	for _, s := range t.Servers.All() {
		servers = append(servers, source{string(s), t.NTS.V})
	}
	want, hint := listed(servers), "chronyc -N sources; systemctl cat chronyd"
	c := verify.Check{ID: t.Addr.String() + "/servers", Title: "whom the router asks for the time", From: t.Servers.Range}
	verify.Asked(p, c, sourcesOf, "chronyd.service", want, hint, func(_ *state.State, got []source) verify.Verdict {
		return verify.Compare(want, listed(got), hint)
	})
}

// listed are sources in the order of their names.
func listed(sources []source) string {
	var out []string
	for _, s := range sources {
		if s.NTS {
			out = append(out, fmt.Sprintf("%s by NTS", s.Name))
		} else {
			out = append(out, s.Name)
		}
	}
	slices.Sort(out)
	return verify.List(out)
}
