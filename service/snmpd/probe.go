package snmpd

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// An agent is what answers at an address without being told a secret.
type agent struct {
	Engine    string `json:"engine,omitempty"`    // its identifier in hexadecimal; empty is no answer
	Community string `json:"community,omitempty"` // of SNMPv1 or SNMPv2c, that it takes
}

// agentOf asks at one of the router's own addresses by SNMPv1 and SNMPv2c with the communities that an
// intruder tries first, and then by SNMPv3 for the engine (RFC 3414 section 4).
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
	e, err := c.discover(ctx)
	if err != nil || e == nil {
		return agent{}, err
	}
	return agent{hex.EncodeToString([]byte(e.AuthoritativeEngineID)), community}, nil
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
	e, err := c.discover(ctx)
	if err != nil {
		return userAnswer{}, err
	}
	if e == nil {
		return userAnswer{Authentication: noAnswer}, nil
	}
	u, err := newUser(e, q.Name, authentication, "")
	if err != nil {
		return userAnswer{}, err
	}
	r, err := c.as(ctx, u, system)
	switch {
	case err != nil:
		return userAnswer{}, err
	case r == nil:
		return userAnswer{Authentication: noAnswer}, nil
	case reported(r) == unknownUser:
		return userAnswer{Authentication: noUser}, nil
	case reported(r) == wrongDigest:
		return userAnswer{Authentication: otherPhrase}, nil
	case r.PDUType == gosnmp.Report:
		return userAnswer{Authentication: says(r)}, nil
	}
	out := userAnswer{Authentication: samePhrase, Privacy: noPrivacy}
	switch {
	case r.Error != gosnmp.AuthorizationError:
		out.Privacy = plainText
		return out, nil
	case noPrivacy != "":
		return out, nil
	}
	if u, err = newUser(e, q.Name, authentication, privacy); err != nil {
		return userAnswer{}, err
	}
	for text := range strings.FieldsSeq(q.After) {
		o := OID(text)
		r, err := c.as(ctx, u, o)
		switch {
		case err != nil:
			return userAnswer{}, err
		case r == nil && len(out.Objects) > 0:
			return userAnswer{Authentication: noAnswer}, nil // it has decrypted others
		case r == nil: // what it cannot decrypt it does not answer
			out.Privacy = otherPhrase
			return out, nil
		case r.PDUType == gosnmp.Report:
			out.Privacy = says(r)
			return out, nil
		case r.Error != gosnmp.NoError:
			out.Privacy, out.Refused = samePhrase, says(r)
			return out, nil
		}
		next := object{After: o}
		if len(r.Variables) > 0 && r.Variables[0].Type != gosnmp.EndOfMibView {
			next.Name = first(r)
			text, ok := r.Variables[0].Value.([]byte)
			if ok && r.Variables[0].Type == gosnmp.OctetString && next.Name.below(system) {
				next.Text = probe.Printable(string(text))
			}
		}
		out.Objects = append(out.Objects, next)
	}
	out.Privacy = samePhrase
	return out, nil
}
