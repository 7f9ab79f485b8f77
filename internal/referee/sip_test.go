package referee_test

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A sipMessage is a request or a response of SIP (RFC 3261 section 7).
type sipMessage struct {
	start string
	lines []string // of the header
	body  string
}

func readSIP(b []byte) sipMessage {
	head, body, _ := strings.Cut(string(b), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	return sipMessage{lines[0], lines[1:], body}
}

// header is the first line of a name, without the name.
func (m sipMessage) header(name string) string {
	for _, l := range m.lines {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// status is the code of a response, 0 of a request.
func (m sipMessage) status() int {
	f := strings.Fields(m.start)
	if len(f) < 2 || f[0] != "SIP/2.0" {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

// A sipPhone is a telephone: a socket for SIP, and one for voice.
type sipPhone struct {
	user, password string
	server         netip.AddrPort
	conn, voice    *net.UDPConn

	answers chan sipMessage // responses
	rang    chan sipMessage // calls that came, each of which it takes

	mu    sync.Mutex
	heard []byte // the last voice
	moved string // the URI where calls are told to go instead
	seq   int
}

// newPhone is a telephone at an address of a namespace.
func newPhone(t *testing.T, ns *nstest.NS, at, server, user, password string) *sipPhone {
	t.Helper()
	p := &sipPhone{user: user, password: password, server: netip.MustParseAddrPort(server), answers: make(chan sipMessage, 100), rang: make(chan sipMessage, 100)}
	err := within(ns, func() (err error) {
		if p.conn, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(at)}); err != nil {
			return err
		}
		p.voice, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(at)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close(); p.voice.Close() })
	go p.listen()
	go func() {
		b := make([]byte, 2000)
		for {
			n, err := p.voice.Read(b)
			if err != nil {
				return
			}
			if n > 12 { // RTP's header
				p.mu.Lock()
				p.heard = append([]byte(nil), b[12:n]...)
				p.mu.Unlock()
			}
		}
	}()
	return p
}

func (p *sipPhone) at() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// uri is where it is.
func (p *sipPhone) uri() string { return fmt.Sprintf("sip:%s@%s", p.user, p.at()) }

func (p *sipPhone) send(lines []string, body string) error {
	text := strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") + "\r\n\r\n" + body
	_, err := p.conn.WriteToUDPAddrPort([]byte(text), p.server)
	return err
}

// moves has it tell calls to go to a URI (RFC 3261 section 21.3.3); to take them if that is empty.
func (p *sipPhone) moves(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = to
}

// listen takes each call, unless it has moved, and says yes to all else.
func (p *sipPhone) listen() {
	b := make([]byte, 10000)
	for {
		n, err := p.conn.Read(b)
		if err != nil {
			return
		}
		m := readSIP(b[:n])
		switch method, _, _ := strings.Cut(m.start, " "); method {
		case "SIP/2.0":
			p.answers <- m
		case "ACK":
		case "INVITE":
			if !strings.Contains(m.header("To"), ";tag=") {
				p.mu.Lock()
				moved := p.moved
				p.mu.Unlock()
				if moved != "" {
					p.reply(m, "302 Moved Temporarily", "", moved)
					p.rang <- m
					continue
				}
				p.reply(m, "180 Ringing", "", p.uri())
				p.rang <- m
			}
			p.reply(m, "200 OK", p.sdp(), p.uri())
		default:
			p.reply(m, "200 OK", "", p.uri())
		}
	}
}

// reply answers a request, with a contact.
func (p *sipPhone) reply(m sipMessage, status, body, contact string) {
	lines := []string{"SIP/2.0 " + status}
	for _, l := range m.lines {
		for _, name := range []string{"via:", "from:", "call-id:", "cseq:"} {
			if strings.HasPrefix(strings.ToLower(l), name) {
				lines = append(lines, l)
			}
		}
	}
	to := m.header("To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=phone"
	}
	lines = append(lines, "To: "+to, "Contact: <"+contact+">")
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	p.send(lines, body)
}

// sdp offers voice in A-law (RFC 8866, RFC 3551 section 6).
func (p *sipPhone) sdp() string {
	a := p.voice.LocalAddr().(*net.UDPAddr).AddrPort()
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n", a.Addr(), a.Port())
}

var digestRE = regexp.MustCompile(`(\w+)="([^"]*)"`)

// authorization answers a challenge (RFC 2617 section 3.2.2).
func (p *sipPhone) authorization(challenge, method, uri string) string {
	has := map[string]string{}
	for _, m := range digestRE.FindAllStringSubmatch(challenge, -1) {
		has[m[1]] = m[2]
	}
	sum := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	const nc, cnonce = "00000001", "0a4f113b"
	ha1, ha2 := sum(p.user+":"+has["realm"]+":"+p.password), sum(method+":"+uri)
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", qop=auth, nc=%s, cnonce="%s", response="%s", opaque="%s", algorithm=MD5`,
		p.user, has["realm"], has["nonce"], uri, nc, cnonce, sum(strings.Join([]string{ha1, has["nonce"], nc, cnonce, "auth", ha2}, ":")), has["opaque"])
}

// errSilent is of a request that is not answered.
var errSilent = errors.New("no answer")

// ask sends a request, answers a challenge if it has a password, and returns the last response. An
// INVITE it acknowledges.
func (p *sipPhone) ask(method, number, body string, patience time.Duration) (sipMessage, error) {
	p.seq++
	id := fmt.Sprintf("%s-%d-%d", p.user, p.at().Port(), p.seq)
	uri := fmt.Sprintf("sip:%s@%s", number, p.server)
	to := uri
	if method == "REGISTER" {
		uri = "sip:" + p.server.String()
		to = fmt.Sprintf("sip:%s@%s", p.user, p.server)
	}
	auth, cseq := "", 0
	request := func(method string, branch int, to string) []string {
		lines := []string{
			method + " " + uri + " SIP/2.0",
			fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%s-%d;rport", p.at(), id, branch),
			"Max-Forwards: 70",
			fmt.Sprintf("From: <sip:%s@%s>;tag=%s", p.user, p.server.Addr(), id),
			"To: " + to,
			"Call-ID: " + id,
			fmt.Sprintf("CSeq: %d %s", cseq, method),
			"Contact: <" + p.uri() + ">",
		}
		if method == "REGISTER" {
			lines = append(lines, "Expires: 600")
		}
		if auth != "" && method != "ACK" {
			lines = append(lines, auth)
		}
		return lines
	}
	for {
		cseq++
		lines := request(method, cseq, "<"+to+">")
		if body != "" {
			lines = append(lines, "Content-Type: application/sdp")
		}
		if err := p.send(lines, body); err != nil {
			return sipMessage{}, err
		}
		var m sipMessage
		for deadline := time.After(patience); ; {
			select {
			case m = <-p.answers:
			case <-deadline:
				return sipMessage{}, errSilent
			}
			if m.header("Call-ID") == id && m.header("CSeq") == fmt.Sprintf("%d %s", cseq, method) && m.status() >= 200 {
				break
			}
		}
		if method == "INVITE" {
			branch := cseq
			if m.status() == 200 {
				branch += 100 // a transaction of its own (section 13.2.2.4)
			}
			if err := p.send(request("ACK", branch, m.header("To")), ""); err != nil {
				return sipMessage{}, err
			}
		}
		if challenge := m.header("WWW-Authenticate"); m.status() == 401 && p.password != "" && auth == "" {
			auth = p.authorization(challenge, method, uri)
			continue
		}
		return m, nil
	}
}

// register wants the exchange to answer with a code.
func (p *sipPhone) register(t *testing.T, want int) {
	t.Helper()
	if m, err := p.ask("REGISTER", "", "", nstest.Patience); err != nil || m.status() != want {
		t.Errorf("%s registers: %s (%v), want %d", p.user, m.start, err, want)
	}
}

// call calls a number, for which the exchange is to answer with a code.
func (p *sipPhone) call(t *testing.T, number string, want int) sipMessage {
	t.Helper()
	m, err := p.ask("INVITE", number, p.sdp(), nstest.Patience)
	if err != nil || m.status() != want {
		t.Errorf("%s calls %s: %s (%v), want %d", p.user, number, m.start, err, want)
	}
	return m
}

// hangUp ends a call that it has made.
func (p *sipPhone) hangUp(t *testing.T, answered sipMessage) {
	t.Helper()
	uri := strings.Trim(answered.header("Contact"), "<>")
	err := p.send([]string{
		"BYE " + uri + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKbye-%s;rport", p.at(), answered.header("Call-ID")),
		"Max-Forwards: 70",
		"From: " + answered.header("From"),
		"To: " + answered.header("To"),
		"Call-ID: " + answered.header("Call-ID"),
		"CSeq: 200 BYE",
	}, "")
	if err != nil {
		t.Fatal(err)
	}
}

// mediaOf is where a message has its voice sent to.
func mediaOf(t *testing.T, m sipMessage) netip.AddrPort {
	t.Helper()
	var host, port string
	for line := range strings.SplitSeq(m.body, "\r\n") {
		if v, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			host = v
		}
		if f := strings.Fields(line); len(f) > 1 && f[0] == "m=audio" {
			port = f[1]
		}
	}
	a, err := netip.ParseAddrPort(host + ":" + port)
	if err != nil {
		t.Fatalf("no voice in %s\n%s", m.start, m.body)
	}
	return a
}

// hears speaks to where the other end has said until its words arrive at a phone.
func (p *sipPhone) hears(t *testing.T, from *sipPhone, to netip.AddrPort) {
	t.Helper()
	seq := 0
	nstest.Wait(t, func() error {
		seq++
		word := fmt.Sprintf("%-160s", "hello from "+from.user) // 20 ms of A-law
		packet := append([]byte{0x80, 8, byte(seq >> 8), byte(seq), 0, 0, byte(seq * 160 >> 8), byte(seq * 160), 1, 2, 3, 4}, word...)
		if _, err := from.voice.WriteToUDPAddrPort(packet, to); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
		p.mu.Lock()
		defer p.mu.Unlock()
		if string(p.heard) != word {
			return fmt.Errorf("%s hears %q", p.user, p.heard)
		}
		return nil
	})
}

// rings waits for a call.
func (p *sipPhone) rings(t *testing.T) sipMessage {
	t.Helper()
	select {
	case m := <-p.rang:
		return m
	case <-time.After(nstest.Patience):
		t.Fatalf("%s does not ring", p.user)
		return sipMessage{}
	}
}

// silent wants that no call has come.
func (p *sipPhone) silent(t *testing.T) {
	t.Helper()
	select {
	case m := <-p.rang:
		t.Errorf("%s rings: %q", p.user, m)
	default:
	}
}
