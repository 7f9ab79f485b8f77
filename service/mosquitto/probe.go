package mosquitto

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/certificate"
	"github.com/nbr-dev/nbr/verify/mqttask"
	"github.com/nbr-dev/nbr/verify/probe"
)

// certificates asks for that of the broker.
var certificates = certificate.Of("mosquitto")

// anonymous connects without a name and a password.
var anonymous = &probe.Probe[mqttask.Server, string]{Name: "mosquitto.anonymous", Active: true, Look: lookAnonymous}

func lookAnonymous(ctx context.Context, h probe.Host, at mqttask.Server) (string, error) {
	s, word, err := at.Connect(ctx, h, "", "")
	if s != nil {
		s.Close()
	}
	return word, err
}

// A userQuestion is a user of the broker, whose password is in a file, and what it is to try. Of addresses, topics
// and filters there is one on each line.
type userQuestion struct {
	At       string `json:"at"`            // the broker's listeners, in the order of their files
	TLS      string `json:"tls,omitempty"` // as of a server
	Name     string `json:"name"`
	Password string `json:"password"`
	Publish  string `json:"publish"`           // topics
	Others   string `json:"others,omitempty"`  // topics that it must not publish to
	Receives string `json:"receives"`          // filters of what it may
	Foreign  string `json:"foreign,omitempty"` // filters of what it must not receive
}

// A userAnswer is what becomes of a user's questions at one listener. No password leaves the probe.
type userAnswer struct {
	Login    string   `json:"login"`              // a word of what becomes of clients, or of the file's
	Refused  []string `json:"refused,omitempty"`  // of the topics
	Taken    []string `json:"taken,omitempty"`    // of the other topics
	Heard    bool     `json:"heard,omitempty"`    // the broker has sent what it retains of the foreign filters
	Received string   `json:"received,omitempty"` // the first retained topic that is of no filter of its own
	Rules    []string `json:"rules,omitempty"`    // the ACL's lines of the user, and those of more than one user
}

const (
	noFile     = "no such file"
	noPassword = "no password in the file"
)

// userOf connects as a user, and tries its topics without a message to anyone. The broker says whether it would
// take a message of quality of service 2 when it gets it, and delivers it when it is released, which
// these never are (MQTT 5.0 section 4.3.3). What a user receives is tried by what the broker retains; it
// always does of itself, below $SYS.
var userOf = &probe.Probe[userQuestion, []userAnswer]{Name: "mosquitto.user", Active: true, Look: lookUser}

// password reads a user's file. A word says why there is none.
func password(h probe.Host, file string) (line, word string, err error) {
	b, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noFile, nil
	}
	if err != nil {
		return "", "", err
	}
	line, _, _ = strings.Cut(string(b), "\n")
	foreign := strings.IndexFunc(line, func(c rune) bool { return c < ' ' || c > '~' })
	if len(line) < shortestPassword || len(line) > longestPassword || foreign >= 0 {
		return "", noPassword, nil
	}
	return line, "", nil
}

func lookUser(ctx context.Context, h probe.Host, q userQuestion) ([]userAnswer, error) {
	line, word, err := password(h, q.Password)
	if err != nil {
		return nil, err
	}
	var out []userAnswer
	for at := range lines(q.At) {
		if word != "" {
			out = append(out, userAnswer{Login: word})
			continue
		}
		addr, err := netip.ParseAddrPort(at)
		if err != nil {
			return nil, err
		}
		a, err := q.look(ctx, h, mqttask.Server{At: addr, TLS: q.TLS}, rulesFile(len(out)), line)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// look asks at a listener whose ACL is in a file.
func (q userQuestion) look(ctx context.Context, h probe.Host, at mqttask.Server, acl, password string) (userAnswer, error) {
	rules, err := h.ReadFile(acl)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return userAnswer{}, err
	}
	s, word, err := at.Connect(ctx, h, q.Name, password)
	if err != nil || s == nil {
		return userAnswer{Login: word}, err
	}
	defer func() {
		if s != nil {
			s.Close()
		}
	}()
	out := userAnswer{Login: mqttask.Taken, Rules: rulesOf(string(rules), q.Name)}
	others := slices.Collect(lines(q.Others))
	topics := slices.AppendSeq(slices.Clone(others), lines(q.Publish))
	for i := 0; i < len(topics); i += mostUnreleased {
		if i > 0 { // the messages before are not released
			s.Close()
			if s, word, err = at.Connect(ctx, h, q.Name, password); err != nil {
				return userAnswer{}, err
			}
			if s == nil {
				return userAnswer{}, fmt.Errorf("%s is taken, and then it is not: %s", q.Name, word)
			}
		}
		some := topics[i:min(i+mostUnreleased, len(topics))]
		may, err := publishes(s, some)
		if err != nil {
			return userAnswer{}, err
		}
		for i, topic := range some {
			switch other := slices.Contains(others, topic); {
			case other && may[i]:
				out.Taken = append(out.Taken, topic)
			case !other && !may[i]:
				out.Refused = append(out.Refused, topic)
			}
		}
	}
	out.Received, out.Heard = receives(s, filters(q.Foreign), filters(q.Receives))
	return out, nil
}

// plain are filters as text.
func plain(list []Filter) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f))
	}
	return out
}

func filters(text string) (out []Filter) {
	for f := range lines(text) {
		out = append(out, Filter(f))
	}
	return out
}

// hears is how long a session waits for what the broker retains: where it is more than max_queued_messages
// (mosquitto.conf(5)) the broker may leave out the end.
const hears = 2 * time.Second

// receives subscribes to foreign filters, and has the first topic that is received and is of none of the
// user's own. It has heard all if the broker says that there is no more.
func receives(s *mqttask.Session, foreign, own []Filter) (topic string, heard bool) {
	if len(foreign) == 0 {
		return "", true
	}
	if err := s.Within(hears); err != nil {
		return "", false
	}
	if err := s.Send(mqttask.NewSubscribe(1, plain(foreign)...), mqttask.Packet{Kind: mqttask.Pingreq}); err != nil {
		return "", false
	}
	for { // the answer to PINGREQ comes last
		p, err := s.Read()
		if err != nil {
			return "", false
		}
		switch {
		case p.Kind == mqttask.Pingresp:
			return "", true
		case p.Kind&0xf0 != mqttask.Publish:
			continue
		}
		topic, err := p.Topic()
		if err != nil {
			return "", false
		}
		if !slices.ContainsFunc(own, func(f Filter) bool { return f.matches(topic) }) {
			return probe.Printable(topic), true
		}
	}
}

// mostUnreleased is how many messages a session has under way: Mosquitto takes 20 (max_inflight_messages of
// mosquitto.conf(5)).
const mostUnreleased = 16

// publishes tells of each topic whether the broker would take a message. None is released.
func publishes(s *mqttask.Session, topics []string) ([]bool, error) {
	var packets []mqttask.Packet
	for i, topic := range topics {
		packets = append(packets, mqttask.NewUnreleased(uint16(i+1), topic))
	}
	if err := s.Send(packets...); err != nil {
		return nil, err
	}
	may := make([]bool, len(topics))
	for range topics {
		p, err := s.Read()
		if err != nil {
			return nil, err
		}
		id, reason, err := p.Received()
		if err != nil || id == 0 || int(id) > len(topics) {
			return nil, mqttask.ErrPacket
		}
		may[id-1] = reason < mqttask.Refused
	}
	return may, nil
}

// lines are those of a text, without their ends.
func lines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for l := range strings.Lines(text) {
			if !yield(strings.TrimSuffix(l, "\n")) {
				return
			}
		}
	}
}

// rulesOf are the lines of a user in an ACL file (mosquitto.conf(5)), without the word topic, in order; with those
// before the first user, and with patterns, which are of all users.
func rulesOf(file, name string) []string {
	var out []string
	of := ""
	for line := range lines(file) {
		word, what, _ := strings.Cut(line, " ")
		switch {
		case word == "user":
			of = what
		case word == "topic" && of == name:
			out = append(out, what)
		case word == "topic" && of == "", word == "pattern":
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}
