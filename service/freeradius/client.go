package freeradius

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2868"
	"layeh.com/radius/rfc2869"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A client asks the server from the router itself. Packets are those of layeh.com/radius, whose own
// exchange dials by itself and knows no Message-Authenticator.
type client struct {
	ctx    context.Context
	conn   net.Conn
	secret []byte
	user   string
	state  []byte // of the conversation, which the server gave (RFC 2865 section 5.24)
}

// patience is how long each try of a question may take: the server of this machine answers in
// milliseconds, and rejects after a second (reject_delay).
var patience = []time.Duration{time.Second, 2 * time.Second}

// newClient has the secret of the router's own programs. A server that is not there is nil.
func newClient(ctx context.Context, h probe.Host, at netip.Addr, user string) (*client, error) {
	secret, err := h.ReadFile(ownSecret)
	if err != nil {
		return nil, err
	}
	conn, err := h.Dial(ctx, "udp", netip.AddrPortFrom(at, port).String())
	if err != nil {
		return nil, quiet(err)
	}
	return &client{ctx: ctx, conn: conn, secret: secret, user: user}, nil
}

// quiet is no error where it means that no answer came.
func quiet(err error) error {
	if probe.Silent(err) {
		return nil
	}
	return err
}

// An answer is an authentic one.
type answer struct {
	*radius.Packet
	signed bool // has a Message-Authenticator that is right
}

// ask sends a request and has the answer to it, or nil.
func (c *client) ask(code radius.Code, more ...*radius.AVP) (*answer, error) {
	p := radius.New(code, c.secret)
	if code == radius.CodeAccessRequest {
		p.Add(rfc2865.UserName_Type, radius.Attribute(c.user))
		p.Add(rfc2865.NASIdentifier_Type, radius.Attribute("nbr"))
	}
	if c.state != nil {
		p.Add(rfc2865.State_Type, c.state)
	}
	p.Attributes = append(p.Attributes, more...)
	p.Add(rfc2869.MessageAuthenticator_Type, make([]byte, md5.Size))
	request, err := p.Encode()
	if err != nil {
		return nil, err
	}
	copy(request[len(request)-md5.Size:], sign(request, request, c.secret))
	defer context.AfterFunc(c.ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })()
	for _, wait := range patience {
		if err := c.conn.SetDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		if _, err := c.conn.Write(request); err != nil {
			return nil, quiet(err)
		}
		for b := make([]byte, radius.MaxPacketLength); ; {
			n, err := c.conn.Read(b)
			if err != nil {
				if err = quiet(err); err != nil {
					return nil, err
				}
				break
			}
			if a := c.read(b[:n], request); a != nil {
				return a, nil
			}
		}
	}
	return nil, nil
}

// read takes an authentic answer to a request.
func (c *client) read(b, request []byte) *answer {
	p, err := radius.Parse(b, c.secret)
	if err != nil || p.Identifier != request[1] {
		return nil
	}
	b = b[:binary.BigEndian.Uint16(b[2:])]
	if !radius.IsAuthenticResponse(b, request, c.secret) {
		return nil
	}
	if state, ok := p.Lookup(rfc2865.State_Type); ok {
		c.state = state
	}
	got, ok := p.Lookup(rfc2869.MessageAuthenticator_Type)
	return &answer{p, ok && hmac.Equal(got, sign(b, request, c.secret))}
}

// sign is the Message-Authenticator of a packet, that of an answer with the authenticator of its request
// (RFC 3579 section 3.2).
func sign(packet, request, secret []byte) []byte {
	packet = slices.Clone(packet)
	copy(packet[4:20], request[4:20])
	for i := 20; i+2 <= len(packet) && packet[i+1] >= 2; i += int(packet[i+1]) {
		if packet[i] == byte(rfc2869.MessageAuthenticator_Type) && i+2+md5.Size <= len(packet) {
			clear(packet[i+2 : i+2+md5.Size])
		}
	}
	h := hmac.New(md5.New, secret)
	h.Write(packet)
	return h.Sum(nil)
}

// vlan is what an answer says of the VLAN of the user (RFC 3580 section 3.31); empty if it says none.
func (a *answer) vlan() string {
	_, id := rfc2868.TunnelPrivateGroupID_GetString(a.Packet)
	_, typ := rfc2868.TunnelType_Get(a.Packet)
	_, medium := rfc2868.TunnelMediumType_Get(a.Packet)
	if typ != 13 || medium != rfc2868.TunnelMediumType_Value_IEEE802 { // 13 is VLAN
		return ""
	}
	return probe.Printable(id)
}

// Codes and types of EAP (RFC 3748 sections 4 and 5, RFC 5216, draft-josefsson-pppext-eap-tls-eap, RFC 2759).
const (
	eapRequest, eapResponse = 1, 2

	typeIdentity, typeNak, typeTLS, typePEAP, typeMSCHAPv2, typeTLV = 1, 3, 13, 25, 26, 33
)

// eap sends a message of EAP, in attributes of at most 253 bytes, and has the next request; nil where the
// conversation has ended or stands still, which the answer tells apart.
func (c *client) eap(message []byte) (request []byte, a *answer, err error) {
	var parts []*radius.AVP
	for part := range slices.Chunk(message, 253) {
		parts = append(parts, &radius.AVP{Type: rfc2869.EAPMessage_Type, Attribute: part})
	}
	if a, err = c.ask(radius.CodeAccessRequest, parts...); err != nil || a == nil || a.Code != radius.CodeAccessChallenge {
		return nil, a, err
	}
	for _, avp := range a.Attributes {
		if avp.Type == rfc2869.EAPMessage_Type {
			request = append(request, avp.Attribute...)
		}
	}
	if len(request) < 6 || request[0] != eapRequest || int(binary.BigEndian.Uint16(request[2:])) != len(request) {
		return nil, a, nil
	}
	return request, a, nil
}

// message is one of EAP.
func message(id, kind byte, data ...byte) []byte {
	return slices.Concat([]byte{eapResponse, id}, binary.BigEndian.AppendUint16(nil, uint16(5+len(data))), []byte{kind}, data)
}

// A tunnel carries TLS in messages of EAP (RFC 5216 section 3), as a connection that answers what is asked
// when it is read from.
type tunnel struct {
	*client
	net.Conn // of which no method is used
	kind, id byte
	out      bytes.Buffer
	in       bytes.Buffer
	end      *answer // which ended the conversation; nil without any
	failed   error   // why it could not go on, if that is none of the server's making
}

// begin begins a conversation by a type of EAP that has a tunnel. It is io.EOF without an answer, or where the
// server does not have the type.
func (c *client) begin(kind byte) (*tunnel, error) {
	t := &tunnel{client: c, kind: kind}
	request, a, err := c.eap(message(0, typeIdentity, []byte(c.user)...))
	if err == nil && request != nil && request[4] != kind {
		request, a, err = c.eap(message(request[1], typeNak, kind))
	}
	switch {
	case err != nil:
		return t, err
	case request == nil || request[4] != kind:
		t.end = a
		return t, io.EOF
	}
	t.id = request[1]
	return t, nil
}

// The flags of EAP-TLS (RFC 5216 section 3.1), and how long a part of what is sent may be.
const (
	withLength, moreParts = 0x80, 0x40

	longestPart = 1000
)

// send sends a part, and has the flags and the data of the next request.
func (t *tunnel) send(data ...byte) (flags byte, next []byte, err error) {
	request, a, err := t.eap(message(t.id, t.kind, data...))
	if err != nil {
		return 0, nil, err
	}
	if request == nil || request[4] != t.kind {
		t.end = a
		return 0, nil, io.EOF
	}
	t.id, flags, next = request[1], request[5], request[6:]
	if flags&withLength != 0 && len(next) >= 4 {
		next = next[4:]
	}
	return flags, next, nil
}

// turn sends what was written and has what is answered.
func (t *tunnel) turn() error {
	for {
		part := t.out.Next(longestPart)
		head := []byte{0}
		if t.out.Len() > 0 {
			head[0] = moreParts
		}
		flags, next, err := t.send(append(head, part...)...)
		if err != nil {
			return err
		}
		if t.out.Len() > 0 {
			continue
		}
		t.in.Write(next)
		if flags&moreParts == 0 {
			return nil
		}
	}
}

func (t *tunnel) Write(b []byte) (int, error) { return t.out.Write(b) }

func (t *tunnel) Read(b []byte) (int, error) {
	for t.in.Len() == 0 {
		if err := t.turn(); err != nil {
			t.failed = ended(err)
			return 0, err
		}
	}
	return t.in.Read(b)
}

func (t *tunnel) Close() error { return nil }

// ended is no error of a conversation that the server has ended.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// line is the first line of a file of a secret, if it has as many characters as it must; see stageScript.
func line(file []byte, shortest int) (string, bool) {
	text, _, _ := strings.Cut(string(file), "\n")
	foreign := strings.IndexFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
	return text, len(text) >= shortest && len(text) <= longest && foreign < 0 && strings.TrimSpace(text) == text
}
