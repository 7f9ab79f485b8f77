package snmpd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A client asks an agent. Of gosnmp it takes the messages alone: gosnmp's own exchange dials by itself,
// and refuses as not authentic the reports that say which passphrase or user is wrong.
type client struct {
	host probe.Host
	at   string
}

func newClient(h probe.Host, at netip.Addr) *client {
	return &client{h, netip.AddrPortFrom(at, port).String()}
}

// exchange sends messages and hears answers until one is taken. It tells whether one was.
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

// newID is an identifier of a message and its request, which answers repeat.
func newID() uint32 { return rand.Uint32() >> 1 }

// next makes a question for the object after another one.
func next(g *gosnmp.GoSNMP, id uint32, after OID) ([]byte, error) {
	g.SetMsgID(id - 1) // it counts
	g.SetRequestID(id - 1)
	return g.SnmpEncodePacket(gosnmp.GetNextRequest, []gosnmp.SnmpPDU{{Name: string(after), Type: gosnmp.Null}}, 0, 0)
}

// community is the first community that the agent answers to, with its version; empty if none.
func (c *client) community(ctx context.Context) (string, error) {
	tries := map[uint32]string{}
	var messages [][]byte
	for _, name := range []string{"public", "private"} {
		for _, v := range []gosnmp.SnmpVersion{gosnmp.Version2c, gosnmp.Version1} {
			id := newID()
			m, err := next(&gosnmp.GoSNMP{Version: v, Community: name}, id, "1.3")
			if err != nil {
				return "", err
			}
			messages = append(messages, m)
			tries[id] = fmt.Sprintf("SNMPv%s with the community %s", v, name)
		}
	}
	found := ""
	_, err := c.exchange(ctx, silence, func(answer []byte) (ours bool) {
		p := open(answer)
		if p == nil || p.Version == gosnmp.Version3 || p.PDUType != gosnmp.GetResponse {
			return false
		}
		found, ours = tries[p.RequestID]
		return ours
	}, messages...)
	return found, err
}

// open reads a message that is of no user; nil if it is none.
func open(message []byte) *gosnmp.SnmpPacket {
	p, err := new(gosnmp.GoSNMP).SnmpDecodePacket(slices.Clone(message))
	if err != nil {
		return nil
	}
	return p
}

// report reads an answer that is not signed, which counts only if it is a report.
func report(message []byte) *gosnmp.SnmpPacket {
	if p := open(message); p != nil && p.Version == gosnmp.Version3 && p.PDUType == gosnmp.Report {
		return p
	}
	return nil
}

// answer reads an answer to a user: an authentic one, or a report. UnmarshalTrap is that of gosnmp's
// functions that looks whether a message is authentic, whatever it is, unless it is of another version
// or security model.
func answer(u *gosnmp.GoSNMP, message []byte) *gosnmp.SnmpPacket {
	p, err := u.UnmarshalTrap(slices.Clone(message), false)
	if err == nil && p.Version == gosnmp.Version3 && p.SecurityModel == gosnmp.UserSecurityModel &&
		(p.PDUType == gosnmp.GetResponse || p.PDUType == gosnmp.Report) {
		return p
	}
	return report(message)
}

// ask asks by SNMPv3. Silence is nil.
func (c *client) ask(ctx context.Context, question func(id uint32) ([]byte, error), read func([]byte) *gosnmp.SnmpPacket) (*gosnmp.SnmpPacket, error) {
	for _, wait := range patience {
		id := newID()
		m, err := question(id)
		if err != nil {
			return nil, err
		}
		var p *gosnmp.SnmpPacket
		heard, err := c.exchange(ctx, wait, func(b []byte) bool {
			p = read(b)
			return p != nil && p.MsgID == id
		}, m)
		if err != nil {
			return nil, err
		}
		if heard {
			return p, nil
		}
	}
	return nil, nil
}

// discover asks for the engine, nil if there is none.
func (c *client) discover(ctx context.Context) (*gosnmp.UsmSecurityParameters, error) {
	p, err := c.ask(ctx, func(id uint32) ([]byte, error) {
		return (&gosnmp.SnmpPacket{
			Version: gosnmp.Version3, MsgFlags: gosnmp.Reportable, MsgID: id,
			SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: new(gosnmp.UsmSecurityParameters),
			PDUType: gosnmp.GetRequest, RequestID: id,
		}).MarshalMsg()
	}, report)
	if err != nil || p == nil || reported(p) != unknownEngine {
		return nil, err
	}
	if e, ok := p.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && e.AuthoritativeEngineID != "" {
		return e, nil
	}
	return nil, nil
}

// gosnmp would keep the passphrases that it has made keys of for as long as the process lives.
func init() { gosnmp.PasswordCaching(false) }

// newUser is a user of an engine, who asks unencrypted if there is no passphrase for that.
func newUser(e *gosnmp.UsmSecurityParameters, name, authentication, privacy string) (*gosnmp.GoSNMP, error) {
	usm := &gosnmp.UsmSecurityParameters{
		AuthoritativeEngineID: e.AuthoritativeEngineID, AuthoritativeEngineBoots: e.AuthoritativeEngineBoots,
		AuthoritativeEngineTime: e.AuthoritativeEngineTime, UserName: name,
		AuthenticationProtocol: gosnmp.SHA256, AuthenticationPassphrase: authentication,
	}
	flags := gosnmp.AuthNoPriv
	if privacy != "" {
		flags, usm.PrivacyProtocol, usm.PrivacyPassphrase = gosnmp.AuthPriv, gosnmp.AES, privacy
	}
	return &gosnmp.GoSNMP{
		Version: gosnmp.Version3, MsgFlags: flags, SecurityModel: gosnmp.UserSecurityModel,
		SecurityParameters: usm, ContextEngineID: e.AuthoritativeEngineID,
	}, usm.InitSecurityKeys()
}

// as asks as a user. An agent whose clock is otherwise says it, authentically, and is asked again.
func (c *client) as(ctx context.Context, u *gosnmp.GoSNMP, after OID) (*gosnmp.SnmpPacket, error) {
	ask := func() (*gosnmp.SnmpPacket, error) {
		return c.ask(ctx, func(id uint32) ([]byte, error) { return next(u, id, after) },
			func(b []byte) *gosnmp.SnmpPacket { return answer(u, b) })
	}
	p, err := ask()
	if err != nil || p == nil || reported(p) != notInTime {
		return p, err
	}
	own, ok1 := u.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	now, ok2 := p.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if !ok1 || !ok2 {
		return p, nil
	}
	own.AuthoritativeEngineBoots, own.AuthoritativeEngineTime = now.AuthoritativeEngineBoots, now.AuthoritativeEngineTime
	return ask()
}

// The counters of reports (RFC 3414 section 5).
const (
	notInTime     OID = "1.3.6.1.6.3.15.1.1.2.0"
	unknownUser   OID = "1.3.6.1.6.3.15.1.1.3.0"
	unknownEngine OID = "1.3.6.1.6.3.15.1.1.4.0"
	wrongDigest   OID = "1.3.6.1.6.3.15.1.1.5.0"
)

// first is the name of the first object of a message, empty if there is none.
func first(p *gosnmp.SnmpPacket) OID {
	if len(p.Variables) == 0 {
		return ""
	}
	return OID(strings.TrimPrefix(p.Variables[0].Name, "."))
}

// reported is the counter that a report is of, empty of what is no report.
func reported(p *gosnmp.SnmpPacket) OID {
	if p.PDUType != gosnmp.Report {
		return ""
	}
	return first(p)
}

// says is what a report or the status of a response says, for people. AuthorizationError is of a user
// who may not do what it asks for, such as to ask unencrypted (RFC 3416 section 3).
func says(p *gosnmp.SnmpPacket) string {
	switch {
	case p.PDUType == gosnmp.Report:
		return "a report of " + string(first(p))
	case p.Error == gosnmp.AuthorizationError:
		return "it may not ask (authorizationError)"
	}
	return fmt.Sprintf("error %d", p.Error)
}
