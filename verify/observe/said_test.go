package observe

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/beevik/ntp"

	"github.com/nbr-dev/nbr/verify/state"
)

// What somebody says is harmless on a terminal, and nothing of it is lost.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"SSH-2.0-OpenSSH_9.9", `a\"b\\"c`, "\x1b[2J", "\xff\x00\u202e", "Ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := printable(s)
		if i := strings.IndexFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q has %q", p, p[i:])
		}
		back, err := strconv.Unquote(`"` + strings.ReplaceAll(p, `"`, `\"`) + `"`)
		if err != nil || back != s {
			t.Errorf("%q, which is %q: %v", p, back, err)
		}
	})
}

// The beginning of what a command says is text, and no more than was asked for.
func FuzzHead(f *testing.F) {
	f.Add([]byte("fine\n"), 4)
	f.Add([]byte("Ä\xffä"), 1)
	f.Fuzz(func(t *testing.T, b []byte, most int) {
		h := head{most: min(max(most, 0), 1<<16)}
		for len(b) > 0 {
			n := min(3, len(b))
			if m, err := h.Write(b[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			b = b[n:]
		}
		if text := h.text(); !utf8.ValidString(text) || utf8.RuneCountInString(text) > h.most {
			t.Errorf("%q of %d", text, h.most)
		}
	})
}

// timeServer answers with bytes, as if they were meant for the question.
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
		got := parseTime(r)
		want := state.NTP{Answered: true, Stratum: int(b[1])}
		if b[0]>>6 == 3 || b[1] > 15 {
			want.Stratum = 0
		}
		if got != want {
			t.Errorf("% x: %+v", b[:2], got)
		}
	})
}
