package bootlog

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLine is how much of a line is looked at. Nothing of interest is that far to
// the right.
const MaxLine = 4096

// A lineReader splits what came over a wire into lines. A carriage return alone
// ends one too: progress is drawn over itself that way. Numbers are those of an
// editor, so only line feeds count.
type lineReader struct {
	r      *bufio.Reader
	buf    []byte
	number int  // of the line that was read last
	next   int  // line feeds so far
	cut    bool // the line was longer than MaxLine
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 1<<16), buf: make([]byte, 0, MaxLine)}
}

// read is the next line, which is valid until the one after it. The end is
// io.EOF, and every other error the reader's.
func (l *lineReader) read() ([]byte, error) {
	l.buf, l.cut, l.number = l.buf[:0], false, l.next+1
	for {
		c, err := l.r.ReadByte()
		if errors.Is(err, io.EOF) && len(l.buf) > 0 {
			return l.buf, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case c == '\n':
			l.next++
			return l.buf, nil
		case c == '\r':
			return l.buf, nil
		case len(l.buf) == MaxLine:
			l.cut = true
		default:
			l.buf = append(l.buf, c)
		}
	}
}

// escapes are what a terminal obeys (ECMA-48): control sequences, commands to the
// operating system, and the short ones, as U-Boot sends to ask for the size of a
// screen.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b[ -/]*[0-~]`)

// text is a line as a reader on a terminal sees it, in characters that print. The
// second result is how many bytes were none.
func text(raw []byte) (string, int) {
	s := string(raw)
	if strings.ContainsRune(s, 0x1b) {
		s = escapes.ReplaceAllString(s, "")
	}
	var b strings.Builder
	b.Grow(len(s))
	bad := 0
	var out []rune
	if strings.ContainsRune(s, '\b') {
		out = backspaced(s)
		s = string(out)
	}
	for i, r := range s {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case r == utf8.RuneError || !unicode.IsPrint(r):
			// A byte that is no text, which may stand where a letter was lost.
			if _, n := utf8.DecodeRuneInString(s[i:]); n > 0 {
				bad += n
			}
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(strings.Trim(b.String(), "\ufffd")), bad
}

// backspaced is s after its backspaces: U-Boot counts down with them.
func backspaced(s string) []rune {
	var out []rune
	for _, r := range s {
		if r != '\b' {
			out = append(out, r)
		} else if len(out) > 0 {
			out = out[:len(out)-1]
		}
	}
	return out
}

// stamps are what programs on the desk put before a line: picocom and minicom a
// date, tio and hterm a time, grabserial seconds since the start and since the
// line before, ts(1) a date of syslog.
var stamps = regexp.MustCompile(`^(?:` +
	`\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,:]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?` +
	`|\[\d\d:\d\d:\d\d(?:[.:]\d+)?\]` +
	`|\[\d+\.\d+ \d+\.\d+\]` +
	`|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d` +
	`) ?`)

// clocks are what the board puts there itself: Linux since it started, with the
// CPU or the thread (CONFIG_PRINTK_CALLER), and the Raspberry Pi's firmware.
var clocks = regexp.MustCompile(`^(?:\[ *\d+\.\d{6}\](?:\[ *[CT]\d+\])? |MESS:\d\d:\d\d:\d\d\.\d+:\d+: | *\d+\.\d\d (?:RPi: |BOOTMODE|Boot mode|Initialising|DDR |Starting |Firmware))`)

// unstamped is a line without what the desk put before it.
func unstamped(s string) string {
	if s == "" || s[0] != '[' && (s[0] < '0' || s[0] > '9') && (s[0] < 'A' || s[0] > 'Z') {
		return s
	}
	return s[len(stamps.FindString(s)):]
}

// unclocked is a line without the clock of the board, and whether that is the
// kernel's.
func unclocked(s string) (string, bool) {
	m := clocks.FindString(s)
	switch {
	case m == "":
		return s, false
	case m[0] == '[':
		return s[len(m):], true
	case strings.HasPrefix(m, "MESS"):
		return s[len(m):], false
	default: // the words are a part of what was found
		_, rest, _ := strings.Cut(strings.TrimLeft(s, " "), " ")
		return rest, false
	}
}

// inside finds the kernel's clock within a line: Linux and systemd write to one
// console, and neither waits for the other to end its line.
var inside = regexp.MustCompile(`\[ *\d+\.\d{6}\](?:\[ *[CT]\d+\])? `)

// split takes a line apart where the kernel cut in.
func split(s string) []string {
	var out []string
	for {
		var at []int
		if len(s) > 1 {
			at = inside.FindStringIndex(s[1:])
		}
		if at == nil {
			return append(out, s)
		}
		out = append(out, strings.TrimSpace(s[:at[0]+1]))
		s = s[at[0]+1:]
	}
}
