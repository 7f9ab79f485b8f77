package nftables

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Hours in rules of nftables are hours of UTC: nft takes the offset off when it loads them, and a
// change to daylight saving time shifts them until they are loaded again. So no rule has an hour.
// Each schedule has two sets that tell by their elements that it applies, and that it does not; a unit
// reads the clock on the wall each minute and fills one of them, for three minutes. With both
// empty the time is not known: a policy that lets pass then lets nothing pass, and one that drops
// or refuses does so.
//
// A rule can look a value of the packet up in a set, and nothing else, so the elements are all
// values that there are of one: the two versions of IP.

// writeSchedule writes the sets of a schedule.
func writeSchedule(b *strings.Builder, s *router.Schedule) {
	on, off := s.SetNames()
	for _, name := range []string{on, off} {
		fmt.Fprintf(b, "\nset %s {\n  typeof meta nfproto\n  flags timeout\n  comment %s\n}\n", name, quote(comment(blockLine(s))))
	}
}

// atTimes matches all packets at the times of a policy, with a space before; it is empty where a
// policy has no schedule. It comes last in a match: for nft 1.1 a look-up of the version of IP
// says that nothing of a transport protocol can follow.
func atTimes(p *router.Policy) string {
	if !p.Schedule.Set {
		return ""
	}
	on, off := p.Schedule.Target.SetNames()
	if p.Action.V == "accept" {
		return " meta nfproto @" + on
	}
	return " meta nfproto != @" + off
}

// whileLeading is that of a port forward.
func whileLeading(p *router.PortForward) string {
	if !p.Schedule.Set {
		return ""
	}
	on, _ := p.Schedule.Target.SetNames()
	return " meta nfproto @" + on
}

// mark is the bit of a policy or a port forward with a schedule in the mark of a connection. A
// connection has it if the policy let it pass, or would drop or refuse it at another time.
func mark(r *router.Router, a conf.Addr) string {
	return fmt.Sprintf("%#x", router.ScheduledMark(slices.IndexFunc(r.Scheduled(), func(t router.Timed) bool { return t.Addr == a })))
}

func setMark(r *router.Router, a conf.Addr) string {
	return "ct mark set ct mark | " + mark(r, a)
}

// ended ends connections for which a schedule has come to an end, or has begun, of what the
// chain is about. It stands before the rule for established connections.
func (c *chain) ended(r *router.Router, about func(router.Timed) bool) {
	for _, t := range r.Scheduled() {
		if !about(t) {
			continue
		}
		match := fmt.Sprintf("ct mark & %s == %[1]s", mark(r, t.Addr))
		on, _ := t.Schedule.SetNames()
		switch p := t.Policy; {
		case p == nil || p.Action.V == "accept":
			c.add(t.By, "%s meta nfproto != @%s counter drop", match, on)
		case p.Action.V == "reject":
			c.add(t.By, "%s meta l4proto tcp%s counter reject with tcp reset", match, atTimes(p))
			c.add(t.By, "%s%s counter reject", match, atTimes(p))
		default:
			c.add(t.By, "%s%s counter drop", match, atTimes(p))
		}
	}
}

// endedOwn is for what the router itself sends, and for the answers. The reset of a connection that has
// ended has the mark of that connection, to which the kernel relates what a rule sends (nf_ct_attach in
// net/netfilter/core.c): it passes before.
func (c *chain) endedOwn(f *Firewall, r *router.Router) {
	if slices.ContainsFunc(r.Scheduled(), own) {
		c.add(blockLine(f), "ct state related accept")
		c.ended(r, own)
	}
}

// through tells whether it is about what passes through the router.
func through(t router.Timed) bool { return t.Policy == nil || t.Policy.Through() }

// own tells whether it is about what the router itself sends.
func own(t router.Timed) bool { return t.Policy != nil && t.Policy.Own() }

//go:embed schedules.sh
var schedulesScript string

const schedulesUnit = "nbr-schedules"

// scheduleScript is the script of the unit: the schedules with the parts of the week, in minutes,
// that are in each, and what it does with them.
func scheduleScript(r *router.Router) string {
	trusted := "no"
	if len(router.Claimed[router.Battery](r)) > 0 {
		trusted = "yes"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "trusted=%s\nschedules='\n", trusted)
	for _, s := range r.Schedules {
		on, off := s.SetNames()
		fmt.Fprintf(&b, "%s %s", on, off)
		for _, w := range s.Windows() {
			fmt.Fprintf(&b, " %d-%d", w.First, w.End)
		}
		b.WriteByte('\n')
	}
	return b.String() + "'\n" + schedulesScript
}

// lowerSchedules makes the unit that fills the sets, each minute, after the clock was set, and
// after the rules were loaded, which empties them.
func lowerSchedules(r *router.Router, m *nixgen.Module) {
	from := service.From(r.Schedules[0])
	set := setter(m, from, schedulesUnit)
	set(nixgen.Str("Tell the firewall which schedules apply"), "description")
	set(nixgen.List{nixgen.Str("nftables.service")}, "after")
	set(nixgen.List{nixgen.Str("nftables.service")}, "requisite")
	set(nixgen.List{nixgen.Var("pkgs.nftables")}, "path")
	oneshot(set)
	set(nixgen.Str(schedulesUnit), "serviceConfig", "RuntimeDirectory")
	set(nixgen.Bool(true), "serviceConfig", "RuntimeDirectoryPreserve")
	// It starts each minute, and that is no news.
	set(nixgen.Str("notice"), "serviceConfig", "LogLevelMax")
	set(nixgen.Lines(scheduleScript(r)), "script")

	timer := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "timers", schedulesUnit}, path...)...)
	}
	timer(nixgen.List{nixgen.Str("timers.target")}, "wantedBy")
	timer(nixgen.Str("minutely"), "timerConfig", "OnCalendar")
	timer(nixgen.Str("1s"), "timerConfig", "AccuracySec")
	timer(nixgen.Bool(true), "timerConfig", "OnClockChange")
	timer(nixgen.Bool(true), "timerConfig", "OnTimezoneChange")

	again := nixgen.Concat{nixgen.Var("pkgs.systemd"), nixgen.Str("/bin/systemctl restart " + schedulesUnit + ".service")}
	set = setter(m, from, schedulesUnit+"-again")
	set(nixgen.Str("Tell the firewall which schedules apply after it was loaded"), "description")
	whileLoaded(set)
	set(nixgen.Str("nftables.service"), "unitConfig", "ReloadPropagatedFrom")
	set(again, "serviceConfig", "ExecStart")
	set(again, "serviceConfig", "ExecReload")
}

// A scheduleNow is what the firewall knows of a schedule, and the router's clock.
type scheduleNow struct {
	On   bool   `json:"on"`   // for the firewall the schedule applies
	Off  bool   `json:"off"`  // it does not; neither if the time is not known
	Time string `json:"time"` // of the clock on the wall: day, Monday is 1, hour and minute
}

var scheduleOf = &probe.Probe[string, scheduleNow]{Name: "nftables.schedule", Look: lookSchedule}

// lookSchedule reads the sets whose names begin with the question.
func lookSchedule(ctx context.Context, h probe.Host, name string) (scheduleNow, error) {
	var now scheduleNow
	for suffix, known := range map[string]*bool{"_on": &now.On, "_off": &now.Off} {
		out, err := h.Run(ctx, "nft", "-j", "list", "set", "inet", Table, name+suffix)
		if err != nil {
			return scheduleNow{}, err
		}
		if out.Exit != 0 {
			return scheduleNow{}, fmt.Errorf("nft cannot list the set %s%s", name, suffix)
		}
		var list struct {
			Nftables []struct {
				Set *struct{ Elem []json.RawMessage }
			}
		}
		if err := json.Unmarshal(out.Stdout, &list); err != nil {
			return scheduleNow{}, fmt.Errorf("nft's listing: %w", err)
		}
		for _, o := range list.Nftables {
			*known = *known || o.Set != nil && len(o.Set.Elem) > 0
		}
	}
	out, err := h.Run(ctx, "env", "-u", "TZ", "date", "+%u %H:%M") // the router's, not that of who looks
	if err == nil && out.Exit != 0 {
		err = fmt.Errorf("date ends with %d", out.Exit)
	}
	now.Time = strings.TrimSpace(string(out.Stdout))
	return now, err
}

// minute is the minute of the week of a time as date +"%u %H:%M" prints it.
func minute(text string) (int, error) {
	var day int
	clock, err := time.Parse("15:04", strings.TrimPrefix(strings.TrimLeft(text, "1234567"), " "))
	if _, e := fmt.Sscanf(text, "%d", &day); e != nil || err != nil || day < 1 || day > 7 {
		return 0, fmt.Errorf("the time %q", text)
	}
	return (day-1)*24*60 + clock.Hour()*60 + clock.Minute(), nil
}

// spelled is a schedule in words.
func spelled(s *router.Schedule) string {
	days := "every day"
	if s.Days.Set {
		var words []string
		for _, d := range s.Days.All() {
			words = append(words, d.String())
		}
		days = strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s from %s to %s, by the router's clock", days, s.From.V, s.To.V)
}

// checkSchedules adds the checks that the firewall has each schedule as the clock says.
func (f *Firewall) checkSchedules(r *router.Router, p *verify.Plan) {
	if len(r.Schedules) == 0 {
		return
	}
	p.UnitActive(f.Addr.String()+"/schedules", r.Schedules[0].Def, schedulesUnit+".timer")
	for _, s := range r.Schedules {
		on, _ := s.SetNames()
		name, want := strings.TrimSuffix(on, "_on"), spelled(s)
		hint := "nft list set inet " + Table + " " + on + "; journalctl -u " + schedulesUnit
		c := verify.Check{ID: s.Addr.String() + "/now", Title: "the firewall knows whether " + string(s.Name.V) + " applies", From: s.Def}
		verify.Asked(p, c, scheduleOf, name, want, hint, func(_ *state.State, now scheduleNow) verify.Verdict {
			m, err := minute(now.Time)
			if err != nil {
				return verify.NotAsked(want, err.Error(), hint)
			}
			word := func(on bool) string {
				return fmt.Sprintf("%s on %s at %s", map[bool]string{true: "it applies", false: "it does not apply"}[on], router.Weekday(m/(24*60)), router.DayTime(m%(24*60)))
			}
			switch is := s.At(m); {
			case now.On == now.Off:
				return verify.Verdict{Status: verify.Fail, Want: word(is), Got: "the firewall does not know the time", Hint: hint}
			case now.On != is && s.At((m+7*24*60-1)%(7*24*60)) != is:
				return verify.Skipped(want, "it changes in this minute", hint)
			default:
				return verify.Compare(word(is), word(now.On), hint)
			}
		})
	}
}
