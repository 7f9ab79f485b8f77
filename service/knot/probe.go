package knot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// running is how Knot Resolver runs: its processes, and what its manager has told them.
type running struct {
	Workers   int      `json:"workers"`           // processes that answer
	Forward   []string `json:"forward,omitempty"` // the servers that are asked for every name
	Rebinding bool     `json:"rebinding"`         // private addresses from outside are refused
	Inner     []string `json:"inner,omitempty"`   // the domains that may have them all the same
}

// settingsOf asks how the resolver of a systemd unit runs.
var settingsOf = &probe.Probe[string, running]{Name: "knot.settings", Look: lookSettings}

// unit is that of the manager, which starts the workers.
const unit = "knot-resolver.service"

// firstWorker is what the manager tells the first worker, in Lua; the others are told the
// same (knot_resolver/datamodel/templates).
const firstWorker = "/run/knot-resolver/kresd0.conf"

var (
	workerRE    = regexp.MustCompile(`\x00kresd\d+\.conf\x00`)
	forwardRE   = regexp.MustCompile(`(?m)^policy\.rule_forward_add\('\.',\{[^}]*\},\{(.*)\}\)$`)
	serverRE    = regexp.MustCompile(`\{'([^']+)'`)
	rebindingRE = regexp.MustCompile(`(?m)^modules\.load\('rebinding\b`)
	innerRE     = regexp.MustCompile(`(?m)^policy\.add\(policy\.suffix\(policy\.FLAGS\(\{'ALLOW_LOCAL'\}\), \{(.*)\}\)\)$`)
	nameRE      = regexp.MustCompile(`todname\('([^']*)'\)`)
)

func lookSettings(_ context.Context, h probe.Host, unit string) (running, error) {
	lua, err := h.ReadFile(firstWorker)
	if err != nil {
		return running{}, err
	}
	r := parseSettings(string(lua))
	pids, err := h.ReadFile("/sys/fs/cgroup/system.slice/" + unit + "/cgroup.procs")
	if err != nil {
		return running{}, err
	}
	for _, pid := range strings.Fields(string(pids)) {
		cmdline, err := h.ReadFile("/proc/" + pid + "/cmdline")
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has ended since
		case err != nil:
			return running{}, err
		case workerRE.Match(cmdline):
			r.Workers++
		}
	}
	return r, nil
}

func parseSettings(lua string) running {
	r := running{Rebinding: rebindingRE.MatchString(lua)}
	for _, forward := range forwardRE.FindAllStringSubmatch(lua, -1) {
		for _, server := range serverRE.FindAllStringSubmatch(forward[1], -1) {
			r.Forward = append(r.Forward, server[1])
		}
	}
	for _, inner := range innerRE.FindAllStringSubmatch(lua, -1) {
		for _, name := range nameRE.FindAllStringSubmatch(inner[1], -1) {
			r.Inner = append(r.Inner, name[1])
		}
	}
	slices.Sort(r.Forward)
	slices.Sort(r.Inner)
	return r
}

// checkSettings adds the checks of how the resolver runs. What the user's additions say
// is left out.
func (b *Resolver) checkSettings(p *verify.Plan) {
	const hint = "systemctl status " + unit + "; less " + firstWorker
	add := func(what, title string, from hcl.Range, want string, get func(running) string, additions ...string) {
		if b.Extra.Set && slices.ContainsFunc(additions, func(name string) bool { return service.Attribute(b.Extra.V.Value, name) != cty.NilVal }) {
			return
		}
		c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: cmp.Or(from, b.Def)}
		verify.Asked(p, c, settingsOf, unit, want, hint, func(_ *state.State, r running) verify.Verdict {
			return verify.Compare(want, get(r), hint)
		})
	}
	add("workers", "processes that answer", b.Workers.Range, fmt.Sprint(b.Workers.V), func(r running) string { return fmt.Sprint(r.Workers) }, "workers")
	var forward []string
	for _, s := range b.Forward.All() {
		forward = append(forward, s.String())
	}
	slices.Sort(forward)
	add("forward", "the servers that are asked", b.Forward.Range, verify.List(forward), func(r running) string { return verify.List(r.Forward) }, "forward")
	inner := "nothing is refused"
	if b.Rebinding.V {
		inner = refused(b.inner())
	}
	add("rebinding", "private addresses from outside", cmp.Or(b.Private.Range, b.Rebinding.Range), inner, func(r running) string {
		if !r.Rebinding {
			return "nothing is refused"
		}
		return refused(r.Inner)
	}, "options", "lua")
}

func refused(inner []string) string {
	if len(inner) == 0 {
		return "all are refused"
	}
	return "refused but in " + verify.List(slices.Sorted(slices.Values(inner)))
}
