package mosquitto

import (
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/verify/mqttask"
)

// Mosquitto ends the session of a client whose topic has more levels or bytes.
func TestLongTopics(t *testing.T) {
	for _, f := range []Filter{Filter(strings.Repeat("a/", mostLevels-1) + "b"), Filter(strings.Repeat("a", mqttask.Longest-2) + "/#"), Filter(strings.Repeat("a", mqttask.Longest-1) + "/")} {
		var u User
		u.Write.Items = []conf.Value[Filter]{{V: f}}
		for _, topic := range append(u.others(), u.publishes()...) {
			if len(topic) > mqttask.Longest || strings.Count(topic, "/") >= mostLevels {
				t.Errorf("%.20q: a topic of %d bytes and %d levels is tried", f, len(topic), strings.Count(topic, "/")+1)
			}
		}
		if !f.matches(f.sample()) {
			t.Errorf("%.20q has no %.20q", f, f.sample())
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		f, other Filter
		want     bool
	}{
		{"#", "a/b", true},
		{"#", "a/#", true},
		{"#", "$SYS/#", false},
		{"home/#", "home/+/state", true},
		{"home/+", "home/#", false},
		{"home/lamp", "home/+", false},
		{"+/state", "lamp/state", true},
		{"a/b/#", "#", false},
		{"a", "a", true},
	} {
		if got := c.f.covers(c.other); got != c.want {
			t.Errorf("%s has all of %s: %v", c.f, c.other, got)
		}
	}
}

func TestRules(t *testing.T) {
	const file = "topic readwrite #\npattern read x/#\nuser a\ntopic read b\nuser c\ntopic d\n"
	if got, want := rulesOf(file, "a"), []string{"pattern read x/#", "read b", "topic readwrite #"}; !slices.Equal(got, want) {
		t.Errorf("rules are %q, want %q", got, want)
	}
}

// The examples are those of MQTT 5.0 section 4.7.
func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter Filter
		has    string
		hasNot string
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1 sport/tennis/player1/ranking sport/tennis/player1/score/wimbledon", "sport/tennis/player2 sport/tennis"},
		{"sport/#", "sport sport/ sport/a", "sports $sport"},
		{"#", "a a/b / /a", "$SYS $SYS/a"},
		{"sport/tennis/+", "sport/tennis/player1 sport/tennis/", "sport/tennis sport/tennis/player1/ranking"},
		{"sport/+", "sport/", "sport"},
		{"+/+", "/finance", "finance"},
		{"/+", "/finance", "finance"},
		{"+", "finance", "/finance $SYS"},
		{"+/monitor/Clients", "a/monitor/Clients", "$SYS/monitor/Clients"},
		{"$SYS/#", "$SYS/ $SYS/monitor/Clients", "SYS/a a"},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", "$SYS/monitor"},
		{"+/tennis/#", "a/tennis a/tennis/b", "tennis"},
		{"ACCOUNTS", "ACCOUNTS", "Accounts /ACCOUNTS ACCOUNTS/"},
	} {
		for topic := range strings.FieldsSeq(c.has) {
			if !c.filter.matches(topic) {
				t.Errorf("%s has no %s", c.filter, topic)
			}
		}
		for topic := range strings.FieldsSeq(c.hasNot) {
			if c.filter.matches(topic) {
				t.Errorf("%s has %s", c.filter, topic)
			}
		}
		if !c.filter.matches(c.filter.sample()) {
			t.Errorf("%s has no %s", c.filter, c.filter.sample())
		}
		var f Filter
		if err := f.UnmarshalText([]byte(c.filter)); err != nil {
			t.Error(err)
		}
	}
	for _, no := range []string{"", "sport/tennis#", "sport/tennis/#/ranking", "sport+", "a/+b", "a\x00b", "a\nb", "\xff", " a", "a ", "$share/g/a", "$a", strings.Repeat("a", mqttask.Longest+1), strings.Repeat("/", mostLevels)} {
		var f Filter
		if err := f.UnmarshalText([]byte(no)); err == nil {
			t.Errorf("%.20q is taken", no)
		}
	}
}

// What is tried beside a user's topics is none of its own.
func TestOthers(t *testing.T) {
	var u User
	for _, f := range []Filter{"home/+/state", "a"} {
		u.Write.Items = append(u.Write.Items, conf.Value[Filter]{V: f})
	}
	u.Read.Items = append(u.Read.Items, conf.Value[Filter]{V: "home/lamp/set"}, conf.Value[Filter]{V: "$SYS/#"})
	want := []string{
		"a/nbr-verify", "home/lamp", "home/lamp/nbr-verify-nbr-verify", "home/lamp/set", "home/lamp/set/nbr-verify", "home/nbr-verify",
		"home/nbr-verify/nbr-verify-nbr-verify", "home/nbr-verify/state/nbr-verify", "nbr-verify",
	}
	if got := u.others(); !slices.Equal(got, want) {
		t.Errorf("others are %q, want %q", got, want)
	}
	u.ReadWrite.Items = append(u.ReadWrite.Items, conf.Value[Filter]{V: "#"})
	if got := u.others(); len(got) > 0 {
		t.Errorf("of all topics others are %q", got)
	}
}
