package chrony

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/beevik/ntp"
	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe"
	"github.com/nbr-dev/nbr/verify/probe"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// ask asks servers for the time, as nbr verify does.
func ask(t *testing.T, servers ...netip.Addr) map[netip.Addr]string {
	t.Helper()
	var questions []probe.Question
	for _, s := range servers {
		questions = append(questions, timeOf.Ask(s))
	}
	st := observe.Look(t.Context(), observe.Options{Questions: questions})
	out := map[netip.Addr]string{}
	for _, s := range servers {
		a, err := timeOf.Answer(st, s)
		switch {
		case err != nil:
			out[s] = err.Error()
		case !a.Answered:
			out[s] = "silence"
		default:
			out[s] = []string{"no time", 10: "stratum 10"}[a.Stratum]
		}
	}
	return out
}

// TestTimesOfChrony asks a real chronyd. Without a clock to follow it answers, and does
// not know the time.
func TestTimesOfChrony(t *testing.T) {
	loopback, elsewhere := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	for source, want := range map[string]string{"local stratum 10": "stratum 10", "": "no time"} {
		t.Run(source, func(t *testing.T) {
			root := lab.Rootfs(t, lab.Files{"/etc/chrony.conf": source + "\nallow\ncmdport 0\n", "/run/chrony/": ""})
			chrony := root.Daemon(t, new(nstest.NS), "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
			chrony.Ready(t, func() error {
				if got := ask(t, loopback)[loopback]; got != want {
					return errors.New(got)
				}
				return nil
			})
			if d := cmp.Diff("dial udp 192.0.2.1:123: connect: network is unreachable", ask(t, elsewhere)[elsewhere]); d != "" {
				t.Error(d)
			}
			chrony.Signal(t, syscall.SIGSTOP)
			if got := ask(t, loopback)[loopback]; !strings.Contains(got, "udp/123 has not answered yet: ") {
				t.Errorf("without a processor: %s", got)
			}
			chrony.Signal(t, syscall.SIGCONT)
			chrony.Stop(t)
			if d := cmp.Diff("silence", ask(t, loopback)[loopback]); d != "" {
				t.Errorf("stopped: %s", d)
			}
		})
	}
}

// TestPassive leaves the question out.
func TestPassive(t *testing.T) {
	q := netip.MustParseAddr("127.0.0.1")
	st := observe.Look(context.Background(), observe.Options{Passive: true, Questions: []probe.Question{timeOf.Ask(q)}})
	if _, err := timeOf.Answer(st, q); !errors.Is(err, probe.ErrNotAsked) {
		t.Error(err)
	}
}

// A timeServer answers with bytes, as if they were meant for the question.
type timeServer struct {
	net.Conn
	answer []byte
}

func (s *timeServer) Write(b []byte) (int, error) {
	if len(s.answer) >= 32 && len(b) >= 48 {
		copy(s.answer[24:32], b[40:48]) // the time that the client sent (RFC 5905 section 8)
	}
	return len(b), nil
}

func (s *timeServer) Read(b []byte) (int, error) {
	if len(s.answer) == 0 {
		return 0, errors.New("nothing")
	}
	return copy(b, s.answer), nil
}

func (s *timeServer) Close() error                { return nil }
func (s *timeServer) SetDeadline(time.Time) error { return nil }

// Whatever a time server sends, there is no stratum that cannot be.
func FuzzTime(f *testing.F) {
	good := append([]byte{4<<3 | 4, 2}, make([]byte, 46)...)
	for i := range 8 {
		good[16+i], good[32+i], good[40+i] = 0xe8, 0xe8, 0xe8
	}
	f.Add(good)
	f.Add(append([]byte{3<<6 | 4<<3 | 4, 2}, good[2:]...))
	f.Add(append([]byte{4<<3 | 4, 16}, good[2:]...))
	f.Add(append([]byte{4<<3 | 4, 0}, good[2:]...))
	f.Add(good[:47])
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ntp.QueryWithOptions("192.0.2.1:123", ntp.QueryOptions{
			Dialer: func(string, string) (net.Conn, error) { return &timeServer{answer: append([]byte(nil), b...)}, nil },
		})
		if err != nil {
			return
		}
		got := parse(r)
		want := answer{Answered: true, Stratum: int(b[1])}
		if b[0]>>6 == 3 || b[1] > 15 {
			want.Stratum = 0
		}
		if got != want {
			t.Errorf("% x: %+v", b[:2], got)
		}
	})
}
