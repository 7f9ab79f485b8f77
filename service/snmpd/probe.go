package snmpd

import (
	"context"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
)

// An agent is what answers at an address without being told a secret.
type agent struct {
	Engine    string `json:"engine,omitempty"`    // its identifier in hexadecimal; empty is no answer
	Community string `json:"community,omitempty"` // of SNMPv1 or SNMPv2c, that it takes
}

// agentOf asks at one of the router's own addresses by SNMPv1 and SNMPv2c with the communities that
// everybody tries, and then by SNMPv3 for the engine (RFC 3414 section 4).
var agentOf = &probe.Probe[netip.Addr, agent]{Name: "snmpd.agent", Active: true, Look: lookAgent}

// patience is how long the tries of a question may take: an agent of this machine answers in
// milliseconds.
var patience = []time.Duration{500 * time.Millisecond, time.Second}

// silence is how long an answer that must not come is waited for.
const silence = 500 * time.Millisecond

func lookAgent(ctx context.Context, h probe.Host, at netip.Addr) (agent, error) {
	c := newClient(h, at)
	community, err := c.community(ctx)
	if err != nil {
		return agent{}, err
	}
	// That it is silent means something of an agent that answers at all.
	found, err := c.discover(ctx)
	if err != nil || !found {
		return agent{}, err
	}
	return agent{hex.EncodeToString(c.engine.id), community}, nil
}

// A client asks an agent.
type client struct {
	host   probe.Host
	at     string
	engine engine
	user   user
}

func newClient(h probe.Host, at netip.Addr) *client {
	return &client{host: h, at: netip.AddrPortFrom(at, port).String()}
}

// exchange sends a message and hears answers until one is taken. It tells whether one was.
func (c *client) exchange(ctx context.Context, wait time.Duration, take func(answer []byte) bool, messages ...[]byte) (bool, error) {
	conn, err := c.host.Dial(ctx, "udp", c.at)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	for _, m := range messages {
		if _, err := conn.Write(m); err != nil {
			return false, quiet(err)
		}
	}
	for b := make([]byte, 1<<16); ; {
		n, err := conn.Read(b)
		if err != nil {
			return false, quiet(err)
		}
		if take(b[:n]) {
			return true, nil
		}
	}
}

// quiet is no error where it means that no answer came.
func quiet(err error) error {
	if probe.Silent(err) {
		return nil
	}
	return err
}

// community is the first community that the agent answers to, with its version; empty if none.
func (c *client) community(ctx context.Context) (string, error) {
	type try struct {
		version int
		name    string
	}
	tries := map[int]try{}
	var messages [][]byte
	for _, t := range []try{{version2c, "public"}, {version1, "public"}, {version2c, "private"}, {version1, "private"}} {
		id := newID()
		m, err := askCommunity(t.version, t.name, id, "1.3")
		if err != nil {
			return "", err
		}
		tries[id], messages = t, append(messages, m)
	}
	found := ""
	_, err := c.exchange(ctx, silence, func(answer []byte) bool {
		all := ber(answer)
		whole := all.take(tagSequence)
		_, _ = whole.number()
		_ = whole.take(asn1.TagOctetString)
		p := whole.take(response)
		id, _ := p.number()
		t, ok := tries[int(id)]
		if ok {
			found = map[int]string{version1: "SNMPv1", version2c: "SNMPv2c"}[t.version] + " with the community " + t.name
		}
		return ok
	}, messages...)
	return found, err
}

// newID is an identifier of a message and its request, which answers repeat.
func newID() int { return int(rand.Int32()) }

// discover asks for the engine. It tells whether there is one.
func (c *client) discover(ctx context.Context) (bool, error) {
	r, err := c.ask(ctx, engine{}, user{}, 0)
	if err != nil || r == nil || r.reason() != unknownEngine || len(r.engine.id) == 0 {
		return false, err
	}
	c.engine = r.engine
	return true, nil
}

// ask asks for what follows an object. Silence is no reply.
func (c *client) ask(ctx context.Context, e engine, u user, level byte, after ...OID) (*reply, error) {
	for _, wait := range patience {
		id := newID()
		m, err := askUser(e, u, level, id, salt(), after...)
		if err != nil {
			return nil, err
		}
		var r reply
		heard, err := c.exchange(ctx, wait, func(answer []byte) (ours bool) {
			r, ours = parse(answer, u, id)
			return ours
		}, m)
		if err != nil {
			return nil, err
		}
		if heard {
			return &r, nil
		}
	}
	return nil, nil
}

// salt makes the vector of a message another one than before (RFC 3826 section 3.1.2.1).
func salt() []byte {
	b := make([]byte, saltLength)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// A userQuestion is a user of the agent at one of the router's own addresses, and what it is asked.
type userQuestion struct {
	At             netip.Addr `json:"at"`
	Name           string     `json:"name"`
	Authentication string     `json:"authentication"` // the files
	Privacy        string     `json:"privacy"`
	After          string     `json:"after"` // objects whose next one is asked for, with spaces between
}

// A userAnswer is what becomes of a user's questions. No passphrase leaves the probe.
type userAnswer struct {
	Authentication string   `json:"authentication"`    // one of the words below
	Privacy        string   `json:"privacy,omitempty"` // likewise; empty if the first is not as it should be
	Refused        string   `json:"refused,omitempty"` // why there are no objects, although both are
	Objects        []object `json:"objects,omitempty"`
}

// An object is what follows another one for the user.
type object struct {
	After OID    `json:"after"`
	Name  OID    `json:"name,omitempty"` // none follows if it is empty
	Text  string `json:"text,omitempty"` // the value of system's texts (RFC 3418)
}

const (
	samePhrase  = "the passphrase of the file"
	otherPhrase = "another passphrase"
	noFile      = "no such file"
	noPhrase    = "no passphrase in the file"
	noUser      = "no such user"
	noAnswer    = "no answer"
	plainText   = "it answers without encryption"
)

// userOf asks as a user, without encryption, which must be refused, and with.
var userOf = &probe.Probe[userQuestion, userAnswer]{Name: "snmpd.user", Active: true, Look: lookUser}

// passphrase reads one of the files. A word says why there is none.
func passphrase(h probe.Host, file string) (line, word string, err error) {
	b, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noFile, nil
	}
	if err != nil {
		return "", "", err
	}
	line, _, _ = strings.Cut(string(b), "\n")
	foreign := strings.IndexFunc(line, func(c rune) bool { return c < ' ' || c > '~' })
	if len(line) < shortest || len(line) > longest || foreign >= 0 {
		return "", noPhrase, nil
	}
	return line, "", nil
}

func lookUser(ctx context.Context, h probe.Host, q userQuestion) (userAnswer, error) {
	authentication, word, err := passphrase(h, q.Authentication)
	if err != nil || word != "" {
		return userAnswer{Authentication: word}, err
	}
	privacy, noPrivacy, err := passphrase(h, q.Privacy)
	if err != nil {
		return userAnswer{}, err
	}
	c := newClient(h, q.At)
	found, err := c.discover(ctx)
	if err != nil {
		return userAnswer{}, err
	}
	if !found {
		return userAnswer{Authentication: noAnswer}, nil
	}
	c.user = user{name: q.Name, authKey: localKey(authentication, c.engine.id)}
	r, err := c.as(ctx, authFlag, system)
	switch {
	case err != nil:
		return userAnswer{}, err
	case r == nil:
		return userAnswer{Authentication: noAnswer}, nil
	case r.reason() == unknownUser:
		return userAnswer{Authentication: noUser}, nil
	case r.reason() == wrongDigest:
		return userAnswer{Authentication: otherPhrase}, nil
	case r.pdu == report:
		return userAnswer{Authentication: r.says()}, nil
	}
	out := userAnswer{Authentication: samePhrase, Privacy: noPrivacy}
	switch {
	case r.status != authorizationError:
		out.Privacy = plainText
		return out, nil
	case noPrivacy != "":
		return out, nil
	}
	c.user.priv = localKey(privacy, c.engine.id)[:16]
	for text := range strings.FieldsSeq(q.After) {
		o := OID(text)
		r, err := c.as(ctx, authFlag|privFlag, o)
		switch {
		case err != nil:
			return userAnswer{}, err
		case r == nil: // what it cannot decrypt it does not answer
			out.Privacy = otherPhrase
			return out, nil
		case r.pdu == report:
			out.Privacy = r.says()
			return out, nil
		case r.status != 0:
			out.Privacy, out.Refused = samePhrase, r.says()
			return out, nil
		}
		next := object{After: o}
		if r.tag != endOfView {
			next.Name = r.name
			if r.name.below(system) && r.tag == asn1.TagOctetString {
				next.Text = probe.Printable(string(r.value))
			}
		}
		out.Objects = append(out.Objects, next)
	}
	out.Privacy = samePhrase
	return out, nil
}

// as asks as the user. An agent whose clock is otherwise says it, authentically, and is asked again.
func (c *client) as(ctx context.Context, level byte, after OID) (*reply, error) {
	r, err := c.ask(ctx, c.engine, c.user, level, after)
	if err != nil || r == nil || r.reason() != notInTime {
		return r, err
	}
	c.engine = r.engine
	return c.ask(ctx, c.engine, c.user, level, after)
}
