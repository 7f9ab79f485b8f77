package router

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Schedule is when a policy or a port forward counts, by the clock on the wall.
type Schedule struct {
	conf.Header
	Name conf.Value[Name]    `hcl:"name,label"`
	Days conf.List[Weekday]  `hcl:"days,optional" empty:"it would never be. Name days, or remove the list for all of them." doc:"The days on which it begins. Without them it begins every day."`
	From conf.Value[DayTime] `hcl:"from,required" doc:"When it begins, in the time zone of the router."`
	To   conf.Value[DayTime] `hcl:"to,required" doc:"When it ends. A time that is not after from is one of the next day."`
}

// NamedBy says where a schedule is of use.
func (*Schedule) NamedBy() string { return "schedule of a policy or a port_forward" }

// Minutes of a day and of a week.
const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// DayTime is a time of the day in minutes since midnight: 0 to 1440, which is the end of the day.
type DayTime int

// UnmarshalText wants hours and minutes with two digits each (ISO 8601).
func (d *DayTime) UnmarshalText(b []byte) error {
	var h, m int
	if n, err := fmt.Sscanf(string(b), "%2d:%2d", &h, &m); n == 2 && err == nil && fmt.Sprintf("%02d:%02d", h, m) == string(b) && h*60+m <= minutesOfDay && m < 60 && h >= 0 && m >= 0 {
		*d = DayTime(h*60 + m)
		return nil
	}
	return diag.Advise(fmt.Errorf("%q is no time of the day", b), "write hours and minutes with two digits each, 00:00 to 24:00, as in 06:30")
}

// Describe is what the type is in the schema.
func (DayTime) Describe() string { return "time of the day, as in 22:00" }

// String is as the spec writes it.
func (d DayTime) String() string { return fmt.Sprintf("%02d:%02d", d/60, d%60) }

// Weekday is a day of the week: 0 is Monday, as ISO 8601 counts.
type Weekday int

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// UnmarshalText wants the first three letters of its English name.
func (w *Weekday) UnmarshalText(b []byte) error {
	i := slices.Index(weekdays, string(b))
	if i < 0 {
		return diag.Advise(fmt.Errorf("%q is no day of the week", b), "write mon, tue, wed, thu, fri, sat or sun")
	}
	*w = Weekday(i)
	return nil
}

// Describe is what the type is in the schema.
func (Weekday) Describe() string { return "mon, tue, wed, thu, fri, sat or sun" }

// String is as the spec writes it.
func (w Weekday) String() string { return weekdays[w] }

// A Window is a part of the week, in minutes since Monday began: First is in it, and End is not.
type Window struct{ First, End int }

// Windows are when a schedule is, in the order of the week and without those that touch. What
// lasts beyond Sunday is in two.
func (s *Schedule) Windows() []Window {
	days := s.Days.All()
	if len(days) == 0 {
		days = []Weekday{0, 1, 2, 3, 4, 5, 6}
	}
	length := (int(s.To.V) - int(s.From.V) + minutesOfDay) % minutesOfDay
	if length == 0 {
		length = minutesOfDay
	}
	var all []Window
	for _, d := range days {
		first := int(d)*minutesOfDay + int(s.From.V)
		all = append(all, Window{first % minutesOfWeek, min(first%minutesOfWeek+length, minutesOfWeek)})
		if over := first%minutesOfWeek + length - minutesOfWeek; over > 0 {
			all = append(all, Window{0, over})
		}
	}
	slices.SortFunc(all, func(a, b Window) int { return a.First - b.First })
	var out []Window
	for _, w := range all {
		if n := len(out); n > 0 && out[n-1].End >= w.First {
			out[n-1].End = max(out[n-1].End, w.End)
			continue
		}
		out = append(out, w)
	}
	return out
}

// At tells whether a minute of the week is in the schedule.
func (s *Schedule) At(minute int) bool {
	return slices.ContainsFunc(s.Windows(), func(w Window) bool { return w.First <= minute && minute < w.End })
}

// A Timed is a policy or a port forward with a schedule, at the line that says so.
type Timed struct {
	By
	Schedule *Schedule
	Policy   *Policy // nil of a port forward
}

// Scheduled are the policies and then the port forwards with a schedule.
func (r *Router) Scheduled() []Timed {
	var out []Timed
	add := func(a conf.Addr, s conf.Ref[*Schedule], p *Policy) {
		if s.Set {
			out = append(out, Timed{By{a, s.Range}, s.Target, p})
		}
	}
	for _, p := range r.Policies {
		add(p.Addr, p.Schedule, p)
	}
	for _, f := range r.PortForwards {
		add(f.Addr, f.Schedule, nil)
	}
	return out
}

// ruleSchedules judges each schedule, and how many policies and port forwards have one.
func ruleSchedules(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range r.Schedules {
		switch w := s.Windows(); {
		case s.From.V == s.To.V || s.From.V == minutesOfDay:
			d := diag.Help(diag.Error("schedule-window", s.To.Range, "Schedule that does not say when it ends",
				"%s begins at %s and ends at %s.", s.Addr, s.From.V, s.To.V),
				"Write another time. A whole day is from = \"00:00\" and to = \"24:00\".")
			diags = append(diags, diag.With(d, s.From.Range, "when it begins"))
		case w[0] == Window{0, minutesOfWeek}:
			diags = append(diags, diag.Help(diag.Error("schedule-window", s.Def, "Schedule that is always",
				"%s has no time at which it is not.", s.Addr),
				"Take it out of the policies, or write shorter times."))
		}
		if !r.TimeZone.Set {
			diags = append(diags, diag.With(diag.Help(diag.Warning("schedule-in-utc", s.From.Range, "Times of a schedule in UTC",
				"The router has no time_zone, so %s begins at %s UTC, summer and winter.", s.Addr, s.From.V),
				"Write where the router is, as in time_zone = \"Europe/Berlin\", or \"UTC\" if that is meant."),
				r.System.Def, "%s", r.System.Addr.String()))
		}
	}
	if all := r.Scheduled(); len(all) > MaxScheduled {
		diags = append(diags, diag.With(diag.Help(diag.Error("too-many-scheduled", all[MaxScheduled].From, "More schedules of policies and port forwards than the firewall can tell apart",
			"%d policies and port forwards have a schedule. A connection keeps in its mark which of them it is of, and that has %d bits for them.", len(all), MaxScheduled),
			"Make one policy of several, which may have many zones, hosts and sets at its ends, or one port forward of a range of ports."), all[0].From, "the first one"))
	}
	return diags
}

// SetNames are the names of the firewall's sets that tell that a schedule applies now, and that it does not.
func (s *Schedule) SetNames() (on, off string) {
	name := "schedule_" + dotted(s.Addr)
	return name + "_on", name + "_off"
}
