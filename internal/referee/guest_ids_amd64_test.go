//go:build guest

package referee_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// The numbers of the rules of inlineSpec's block.
const (
	badSNI, badHost, badFinalHost, badQuestion, badApp = 1900000, 1900004, 1900005, 1900006, 1900007
)

// A siege is a client that Suricata is between and the Internet, where there are servers.
type siege struct {
	router, client, internet *nstest.NS
	way                      string // closed or open
	log                      *eve
	suricata                 *running

	mu    sync.Mutex
	asked []string // names and texts that came to servers
}

func newSiege(t *testing.T, way string) *siege {
	t.Helper()
	s := &siege{router: nstest.New(t, "router"), client: nstest.New(t, "client"), internet: nstest.New(t, "internet"), way: way}
	forwards(t, s.router)
	s.router.Run(t, "nft", "-f", "/ids/"+way+".nft")
	nstest.Link(t, s.router, "lan1", s.client, "eth0")
	nstest.Link(t, s.router, "wan", s.internet, "eth0")
	ip(t, s.router, "addr add 10.1.0.1/24 dev lan1\naddr add 198.51.100.2/24 dev wan\n")
	ip(t, s.client, "addr add 10.1.0.5/24 dev eth0\nroute add default via 10.1.0.1\n")
	ip(t, s.internet, "addr add 198.51.100.1/24 dev eth0\nroute add 10.1.0.0/24 via 198.51.100.2\n")
	_ = os.Remove("/dev/log")
	s.log = logged(t, "/dev/log")
	s.serve(t)
	return s
}

func (s *siege) heard(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
}

func (s *siege) got(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.asked, name)
}

// serve has servers of TLS, HTTP and DNS in the Internet, and of ports that say what they get.
func (s *siege) serve(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour)},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	conf.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		s.heard(h.ServerName)
		return nil, nil
	}
	var secure, web net.Listener
	var names net.PacketConn
	err = within(s.internet, func() (err error) {
		// No packet but those that are meant: Suricata cannot follow a connection of which it saw a
		// keep-alive first, which is one byte behind.
		quiet := net.ListenConfig{KeepAlive: -1}
		if secure, err = quiet.Listen(context.Background(), "tcp", ":443"); err != nil {
			return err
		}
		if web, err = net.Listen("tcp", ":80"); err != nil {
			return err
		}
		names, err = net.ListenPacket("udp", ":53")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { secure.Close(); web.Close(); names.Close() })
	go func() {
		for {
			c, err := secure.Accept()
			if err != nil {
				return
			}
			go func() { _ = tls.Server(c, conf).Handshake() }()
		}
	}()
	go func() {
		_ = http.Serve(web, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			s.heard(q.Host)
			fmt.Fprintln(w, "welcome")
		}))
	}()
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := names.ReadFrom(b)
			if err != nil {
				return
			}
			s.heard(string(b[12:n]))
			b[2] |= 0x80 // a response
			_, _ = names.WriteTo(b[:n], from)
		}
	}()
	echo(t, s.internet, 81)
	echo(t, s.internet, 2222)
	echo(t, s.internet, 2223)
}

// start starts Suricata as the unit does, with queues of its own or fewer.
func (s *siege) start(t *testing.T, conf string, queues ...string) {
	t.Helper()
	const socket = "/run/suricata/suricata-command.socket"
	for _, dir := range []string{"/run/suricata", "/var/log/suricata"} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, 101, 101)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	args := []string{"suricata", "-c", "/ids/" + conf + ".yaml"}
	for _, q := range queues {
		args = append(args, "-q", q)
	}
	s.suricata = start(t, s.router, "/run/suricata.log", args...)
	t.Cleanup(s.kill)
	nstest.Wait(t, func() error {
		if _, err := os.Stat(socket); err != nil {
			return fmt.Errorf("%w\n%s", err, s.suricata.said())
		}
		return nil
	})
}

// kill ends Suricata as a crash does.
func (s *siege) kill() {
	_ = s.suricata.Process.Kill()
	_ = s.suricata.Wait()
}

// hello asks for a server by its name on a connection.
func hello(c net.Conn, name string) error {
	_ = c.SetDeadline(time.Now().Add(nstest.Patience))
	return tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
}

// blocked wants a rule to tell of something that is done, which does not get to the server.
func (s *siege) blocked(t *testing.T, rule int, at string, do func()) {
	t.Helper()
	before := len(s.log.of(rule))
	go do()
	nstest.Wait(t, func() error {
		if len(s.log.of(rule)) == before {
			return fmt.Errorf("rule %d tells of nothing; %s", rule, s.suricata.said())
		}
		return nil
	})
	if e := s.log.of(rule)[before]; e.Alert.Action != "blocked" {
		t.Errorf("%+v", e)
	}
	if s.got(at) {
		t.Errorf("%q got to the server", at)
	}
}

func (s *siege) passes(t *testing.T, c net.Conn, name string) {
	t.Helper()
	if err := hello(c, name); err != nil {
		t.Errorf("%s: %v\n%s", name, err, s.suricata.said())
	}
	if !s.got(name) {
		t.Errorf("%s did not get to the server", name)
	}
}

// get asks for a page.
func (s *siege) get(t *testing.T, host string) error {
	client := http.Client{Timeout: nstest.Patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (c net.Conn, err error) {
			err = within(s.client, func() error {
				c, err = net.DialTimeout("tcp", "198.51.100.1:80", nstest.Patience)
				return err
			})
			return c, err
		},
	}}
	r, err := client.Get("http://" + host + "/")
	if err == nil {
		r.Body.Close()
	}
	return err
}

// question is one of DNS for an A record (RFC 1035 section 4.1), and what of it is after the header.
func question(name string) (message []byte, body string) {
	var b strings.Builder
	for label := range strings.SplitSeq(name, ".") {
		fmt.Fprintf(&b, "%c%s", len(label), label)
	}
	b.WriteString("\x00\x00\x01\x00\x01")
	return append([]byte{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, b.String()...), b.String()
}

func (s *siege) ask(t *testing.T, name string) error {
	return within(s.client, func() error {
		c, err := net.Dial("udp", "198.51.100.1:53")
		if err != nil {
			return err
		}
		defer c.Close()
		message, _ := question(name)
		_ = c.SetDeadline(time.Now().Add(nstest.Patience))
		if _, err := c.Write(message); err != nil {
			return err
		}
		_, err = c.Read(make([]byte, 512))
		return err
	})
}

// wrong are the checks that do not pass, each after its line of the spec. There is no systemd here.
func (s *siege) wrong(t *testing.T) []string {
	t.Helper()
	spec, err := os.ReadFile("/ids/" + s.way + "/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(spec), "\n")
	out, err := s.router.Try(t, "/bin/nbr", "verify", "-format", "json", "-only", "ids", "/ids/"+s.way)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil || len(report.Results) < 12 {
		t.Fatalf("nbr verify: %v\n%s", err, out)
	}
	var got []string
	for _, f := range report.Results {
		if f.Status != "pass" && f.ID != "ids/unit" {
			got = append(got, fmt.Sprintf("%s | %s %s: %s", strings.TrimSpace(lines[f.Range.Line-1]), f.ID, f.Status, f.Got))
		}
	}
	slices.Sort(got)
	return got
}

// TestGuestBlockedNames has connections pass through Suricata by the queues of the generated rules. What
// is blocked does not get to a server and is told of, and what only looks like it passes; so it is for
// a connection that was there before. Without Suricata nothing passes. nbr verify finds what is wrong, on
// its line.
func TestGuestBlockedNames(t *testing.T) {
	s := newSiege(t, "closed")
	s.start(t, "closed", "0", "1")
	becomes(t, func() []string { return s.wrong(t) }, nil)

	s.passes(t, dial(t, s.client, "198.51.100.1:443"), "notbad.example")
	s.passes(t, dial(t, s.client, "198.51.100.1:443"), "bad.example.net")
	for _, name := range []string{"bad.example", "BAD.Example", "www.bad.example"} {
		c := dial(t, s.client, "198.51.100.1:443") // which is established before the name is known
		s.blocked(t, badSNI, name, func() { _ = hello(c, name) })
		c.Close()
	}
	if err := s.get(t, "notbad.example"); err != nil {
		t.Error(err)
	}
	s.blocked(t, badHost, "Bad.example:80", func() { _ = s.get(t, "Bad.example:80") })
	s.blocked(t, badFinalHost, "bad.example.", func() { _ = s.get(t, "bad.example.") })
	if err := s.ask(t, "notbad.example"); err != nil {
		t.Error(err)
	}
	_, body := question("a.BAD.example")
	s.blocked(t, badQuestion, body, func() { _ = s.ask(t, "a.BAD.example") })
	other := dial(t, s.client, "198.51.100.1:2222")
	other.says(t, "hello\r\n")
	ssh := dial(t, s.client, "198.51.100.1:2222")
	s.blocked(t, badApp, "", func() { _, _ = ssh.Write([]byte("SSH-2.0-OpenSSH_10.0\r\n")) })

	// A crash: what is inspected stands still until Suricata is back, and goes on.
	plain := dial(t, s.client, "198.51.100.1:81")
	older := dial(t, s.client, "198.51.100.1:2223")
	older.says(t, "before the crash")
	if err := older.Conn.(*net.TCPConn).SetKeepAlive(false); err != nil {
		t.Fatal(err)
	}
	s.kill()
	becomes(t, func() []string { return s.wrong(t) }, []string{
		"fail    = \"closed\" | ids/fail unknown", "ids { | ids/events unknown", "ids { | ids/home unknown", "block \"bad\" { | ids/blocks unknown", "block \"bad\" { | ids/loaded unknown",
		"threads = 2 | ids/queue/0 fail: no program reads it", "threads = 2 | ids/queue/1 fail: no program reads it",
		"threads = 2 | ids/reads/0 unknown", "threads = 2 | ids/reads/1 unknown",
	})
	_ = other.SetDeadline(time.Now().Add(nstest.Patience))
	before, _ := queued(t, s.router)
	if _, err := other.Write([]byte("still there?\r\n")); err != nil {
		t.Fatal(err)
	}
	nstest.Wait(t, func() error {
		if n, _ := queued(t, s.router); n < before+2 { // it was sent a second time, for want of an answer
			return fmt.Errorf("%d packets were queued", n-before)
		}
		return nil
	})
	plain.says(t, "of another policy")
	s.start(t, "closed", "0", "1")
	other.hears(t, "still there?\r\n")
	older.closes(t)
	becomes(t, func() []string { return s.wrong(t) }, nil)

	s.kill()
	s.start(t, "open", "0")
	becomes(t, func() []string { return s.wrong(t) }, []string{
		"fail    = \"closed\" | ids/fail fail: ignore",
		"threads = 2 | ids/queue/1 fail: no program reads it", "threads = 2 | ids/reads/1 fail: Suricata reads NFQ#0",
	})
	s.kill()
	s.start(t, "closed", "0", "1")
	s.router.Run(t, "nft", "-f", "/ids/open.nft")
	becomes(t, func() []string { return s.wrong(t) }, []string{"inspect = [policy.web] | ids/rules fail"})
}

// TestGuestInspectionFailsOpen has connections pass without Suricata, and looks into those that were there
// before it ran; one of them is closed first of all.
func TestGuestInspectionFailsOpen(t *testing.T) {
	s := newSiege(t, "open")
	good, bad := dial(t, s.client, "198.51.100.1:443"), dial(t, s.client, "198.51.100.1:443")
	closing := dial(t, s.client, "198.51.100.1:2222")
	closing.says(t, "before Suricata")
	for _, c := range []talk{good, bad, closing} {
		if err := c.Conn.(*net.TCPConn).SetKeepAlive(false); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t, "open", "0", "1")
	becomes(t, func() []string { return s.wrong(t) }, nil)
	closing.closes(t)
	s.passes(t, good, "notbad.example")
	s.blocked(t, badSNI, "bad.example", func() { _ = hello(bad, "bad.example") })
	s.kill()
	s.passes(t, dial(t, s.client, "198.51.100.1:443"), "bad.example")
}
