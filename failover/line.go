package failover

import "time"

// A Line is one version of IP of an uplink, and how it fares.
type Line struct {
	Known bool // it has been judged
	Up    bool
	Since time.Time // when it became so
	Why   string    // what failed, if it is not up
	// run is how many rounds in a row have said the opposite of Up.
	run int
}

// Round is what became of the probes of one round. One answer is enough: that a host in the
// Internet is gone says nothing of the line.
type Round struct {
	OK  bool
	Why string // of each probe, what became of it, if none was answered
}

// After is the line after a round. The first one decides alone, and then as many in a row as the
// uplink says.
func (l Line) After(r Round, u *Uplink, now time.Time) Line {
	need := u.Failures
	if r.OK {
		need = u.Successes
	}
	switch {
	case l.Known && r.OK == l.Up:
		l.run = 0
		if !l.Up {
			l.Why = r.Why
		}
		return l
	case l.Known && l.run+1 < need:
		l.run++
		return l
	}
	return Line{Known: true, Up: r.OK, Since: now, Why: r.Why}
}

// Lost is the line without a carrier or without a way, which is no matter of probes. A line that
// has not been judged stays so: at boot a lease takes a while.
func (l Line) Lost(why string, now time.Time) Line {
	if !l.Known || !l.Up {
		l.Why, l.run = why, 0
		return l
	}
	return Line{Known: true, Since: now, Why: why}
}

// Choose is the uplink for a version of IP: the first one that is up, or else the first one with
// a way, since probes may be wrong and no route certainly is. It is empty while a line with a way
// has not been judged, for then it is not known which, and if there is no way at all.
func (c Config) Choose(f Family, v View, lines func(uplink string) Line) string {
	first, up := "", ""
	for _, u := range c.Uplinks {
		if _, ok := v.Ways[u.Name][f]; !ok {
			continue
		}
		l := lines(u.Name)
		if !l.Known {
			return ""
		}
		if first == "" {
			first = u.Name
		}
		if up == "" && l.Up {
			up = u.Name
		}
	}
	if up != "" {
		return up
	}
	return first
}

// Status is what the watcher writes down after each round.
type Status struct {
	Format  int   `json:"format"` // 1
	Written int64 `json:"written"`
	// Uplinks is what the watcher was told.
	Uplinks []Uplink     `json:"uplinks"`
	Lines   []LineStatus `json:"lines"`
}

// LineStatus is a line in a Status.
type LineStatus struct {
	Uplink string `json:"uplink"`
	Family Family `json:"family"`
	Known  bool   `json:"known,omitempty"`
	Up     bool   `json:"up,omitempty"`
	Chosen bool   `json:"chosen,omitempty"`
	Since  int64  `json:"since,omitempty"`
	Why    string `json:"why,omitempty"`
	Via    string `json:"via,omitempty"` // the next router; empty where the link alone tells, or without a way
}

// Of is the line of an uplink.
func (s Status) Of(uplink string, f Family) (LineStatus, bool) {
	for _, l := range s.Lines {
		if l.Uplink == uplink && l.Family == f {
			return l, true
		}
	}
	return LineStatus{}, false
}
