package mqttask

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A Server is a listener of the broker, and the name that clients know it by if it speaks TLS.
type Server struct {
	At  netip.AddrPort `json:"at"`
	TLS string         `json:"tls,omitempty"`
}

// What becomes of a client that connects.
const (
	Taken    = "taken"
	Turned   = "refused"
	NoAnswer = "no answer"
	NoMQTT   = "no answer of MQTT 5"
)

// A Session is a connection to the broker whose client it has taken.
type Session struct {
	conn net.Conn
	r    *bufio.Reader
	end  func()
}

// Connect connects as a user, or as none if name is empty. The word says what becomes of it, and there is a
// session if it is taken. What a broker that speaks neither TLS nor MQTT says is an answer.
func (at Server) Connect(ctx context.Context, h probe.Host, name, password string) (s *Session, word string, err error) {
	conn, end, err := dnsask.Dial(ctx, h, "tcp", at.At.String())
	if probe.Silent(err) {
		return nil, NoAnswer, nil
	}
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if s == nil {
			end()
		}
	}()
	if at.TLS != "" {
		client := tls.Client(conn, dnsask.TLSConfig(at.TLS))
		switch err := client.HandshakeContext(ctx); {
		case probe.Silent(err):
			return nil, NoAnswer, nil
		case err != nil && ctx.Err() != nil:
			return nil, "", err
		case err != nil:
			return nil, "no answer of TLS", nil
		}
		conn = client
	}
	out := &Session{conn, bufio.NewReader(conn), end}
	if err := out.Send(NewConnect(name, password)); err != nil && !closed(err) {
		return nil, "", err
	}
	p, err := out.Read()
	switch {
	case probe.Silent(err):
		return nil, NoAnswer, nil
	case closed(err), errors.Is(err, ErrPacket):
		return nil, NoMQTT, nil
	case err != nil:
		return nil, "", err
	}
	switch reason, err := p.Connected(); {
	case err != nil:
		return nil, NoMQTT, nil
	case reason == BadPassword, reason == NotAuthorized:
		return nil, Turned, nil
	case reason != Accepted:
		return nil, fmt.Sprintf("refused with reason 0x%02x", reason), nil
	}
	return out, Taken, nil
}

// closed is of a connection that the other end has closed.
func closed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// Send sends packets.
func (s *Session) Send(packets ...Packet) error {
	var b []byte
	for _, p := range packets {
		b = append(b, p.Bytes()...)
	}
	_, err := s.conn.Write(b)
	return err
}

// Read reads the next packet.
func (s *Session) Read() (Packet, error) { return Read(s.r) }

// Within bounds all that follows: it is silence when it takes longer.
func (s *Session) Within(d time.Duration) error { return s.conn.SetDeadline(time.Now().Add(d)) }

// Close ends the session with a DISCONNECT.
func (s *Session) Close() {
	_ = s.Send(Packet{Kind: Disconnect})
	s.end()
}
