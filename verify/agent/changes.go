package agent

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/verify"
)

// logChanges logs what is new in a round, and counts the verdicts that changed. Of a check
// that has not been judged before only what is not well is new.
func (a *Agent) logChanges(before, r *round) (changes int) {
	was := map[string]verify.Status{}
	missed := map[string]string{}
	if before == nil {
		a.Log.Info("verified for the first time", "router", r.report.Router, "checks", r.report.Summary().String())
	} else {
		for _, res := range before.report.Results {
			was[res.ID] = res.Status
		}
		missed = before.report.Missed
	}
	for _, part := range slices.Sorted(maps.Keys(r.report.Missed)) {
		if _, old := missed[part]; !old {
			a.Log.Warn("cannot look at a part", "part", part, "why", clip(r.report.Missed[part]))
		}
	}
	for _, part := range slices.Sorted(maps.Keys(missed)) {
		if _, still := r.report.Missed[part]; !still {
			a.Log.Info("can look at a part again", "part", part)
		}
	}
	for _, res := range r.report.Results {
		old, judged := was[res.ID]
		switch {
		case judged && old != res.Status:
			changes++
			a.verdict(res, slog.String("was", old.String()))
		case !judged && (res.Status == verify.Fail || res.Status == verify.Unknown):
			a.verdict(res)
		}
	}
	return changes
}

// levels are those of a log that is looked through for what is wrong.
var levels = map[verify.Status]slog.Level{
	verify.Pass:    slog.LevelInfo,
	verify.Skip:    slog.LevelInfo,
	verify.Unknown: slog.LevelWarn,
	verify.Fail:    slog.LevelError,
}

func (a *Agent) verdict(res verify.Result, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("check", res.ID)}, more...)
	attrs = append(attrs, slog.String("is", res.Status.String()))
	for _, f := range []struct{ name, value string }{
		{"spec", place(res)}, {"want", res.Want}, {"got", res.Got}, {"see", res.Hint},
	} {
		if f.value != "" {
			attrs = append(attrs, slog.String(f.name, clip(f.value)))
		}
	}
	a.Log.LogAttrs(context.Background(), levels[res.Status], "verdict", attrs...)
}

// place is the line of the spec that promised a check, or "".
func place(res verify.Result) string {
	if res.From.Filename == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", res.From.Filename, res.From.Start.Line)
}

// mostBytes is enough for what was seen of an address, and not for a whole ruleset.
const mostBytes = 400

// clip is the beginning of s.
func clip(s string) string {
	if len(s) <= mostBytes {
		return s
	}
	n := mostBytes
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + " …"
}

// line is s on one line of text, with what does not print replaced: what was seen on
// a router may hold anything.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, clip(s))
}
