package snmpd

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"github.com/nbr-dev/nbr/verify/probe"
)

const authenticationPhrase, privacyPhrase = "a passphrase", "privacy passphrase"

// A quitter is a machine with an agent that answers so many encrypted questions, and no more.
type quitter struct {
	probe.Host
	t    *testing.T
	left int
}

func (q *quitter) ReadFile(name string) ([]byte, error) {
	switch name {
	case "authentication":
		return []byte(authenticationPhrase), nil
	case "privacy":
		return []byte(privacyPhrase), nil
	}
	return nil, fs.ErrNotExist
}

func (q *quitter) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		for b := make([]byte, 1<<16); ; {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			if a := q.answer(b[:n]); a != nil {
				if _, err := server.Write(a); err != nil {
					return
				}
			}
		}
	}()
	return client, nil
}

// answer is what the agent says to a question, nil if nothing.
func (q *quitter) answer(question []byte) []byte {
	if p := open(question); p != nil && p.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthoritativeEngineID == "" {
		p.MsgFlags, p.PDUType = gosnmp.NoAuthNoPriv, gosnmp.Report
		p.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthoritativeEngineID = "engine"
		p.Variables = []gosnmp.SnmpPDU{{Name: string(unknownEngine), Type: gosnmp.Counter32, Value: uint32(1)}}
		return q.made(p.MarshalMsg())
	}
	plain := asAnna(q.t, authenticationPhrase, "")
	if p, err := plain.UnmarshalTrap(append([]byte(nil), question...), false); err == nil && p.MsgFlags&gosnmp.AuthPriv == gosnmp.AuthNoPriv {
		return q.made(encode(plain, p, gosnmp.AuthorizationError))
	}
	if q.left == 0 {
		return nil
	}
	q.left--
	sealing := asAnna(q.t, authenticationPhrase, privacyPhrase)
	p, err := sealing.UnmarshalTrap(append([]byte(nil), question...), false)
	if err != nil {
		q.t.Errorf("an encrypted question: %v", err)
		return nil
	}
	return q.made(encode(sealing, p, gosnmp.NoError))
}

// encode makes the answer to a question, which has its objects.
func encode(u *gosnmp.GoSNMP, question *gosnmp.SnmpPacket, status gosnmp.SNMPError) ([]byte, error) {
	p := u.MkSnmpPacket(gosnmp.GetResponse, question.Variables, 0, 0)
	p.MsgID, p.RequestID, p.Error = question.MsgID, question.RequestID, status
	if err := p.SecurityParameters.InitPacket(p); err != nil {
		return nil, err
	}
	return p.MarshalMsg()
}

func (q *quitter) made(b []byte, err error) []byte {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		q.t.Errorf("an answer: %v", err)
	}
	return b
}

// An agent that answers no encrypted question has another passphrase. One that has answered some has
// not: it is gone.
func TestSilence(t *testing.T) {
	asked := userQuestion{
		At: netip.MustParseAddr("192.0.2.1"), Name: "anna", Authentication: "authentication", Privacy: "privacy",
		After: strings.Repeat("1.3.6.1.2.1.1 ", 3),
	}
	for left, want := range map[int]userAnswer{
		0: {Authentication: samePhrase, Privacy: otherPhrase},
		2: {Authentication: noAnswer},
	} {
		got, err := lookUser(context.Background(), &quitter{t: t, left: left}, asked)
		if err != nil || got.Authentication != want.Authentication || got.Privacy != want.Privacy || len(got.Objects) != 0 {
			t.Errorf("after %d answers: %+v, %v", left, got, err)
		}
	}
	got, err := lookUser(context.Background(), &quitter{t: t, left: 3}, asked)
	if err != nil || got.Privacy != samePhrase || len(got.Objects) != 3 {
		t.Errorf("of all: %+v, %v", got, err)
	}
}

// Before a subtree is all that is less than it, and nothing of it; its end is after all of it.
func TestAround(t *testing.T) {
	long := OID("1.3" + strings.Repeat(".7", most-2))
	for o, want := range map[OID][2]OID{
		"1.3.6.1.2.1.11.1.0": {"1.3.6.1.2.1.11.1", "1.3.6.1.2.1.11.1.0.4294967295"},
		"1.3.6.1.2.1.2":      {"1.3.6.1.2.1.1.4294967295", "1.3.6.1.2.1.2.4294967295"},
		"1.3":                {"1.3", "1.3.4294967295"},
		"2.0":                {"2.0", "2.0.4294967295"},
		long:                 {long[:len(long)-1] + "6", long},
	} {
		if got := [2]OID{o.before(), o.end()}; got != want {
			t.Errorf("%s: %q, want %q", o, got, want)
		}
	}
}
