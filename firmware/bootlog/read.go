package bootlog

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// MaxText is how much of a line is kept, in bytes.
const MaxText = 240

// Read reads a log to its end. What it keeps does not grow with the log. The
// error is the reader's, and what was read until then is valid.
func Read(r io.Reader) (*Log, error) {
	in, rd := newLineReader(r), &reader{log: &Log{}}
	for {
		raw, err := in.read()
		if err != nil {
			rd.finish(in.next, true)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return rd.log, err
		}
		if in.cut {
			rd.log.Cut++
		}
		rd.line(in.number, raw)
	}
}

// A reader is Read at work.
type reader struct {
	log  *Log
	how  string // the boot before stopped
	seen int    // the number of the last line
}

// mostlyNoText tells a line that came at another speed, or while a plug was moved.
func mostlyNoText(bad, size int) bool { return bad >= 3 && bad*3 > size }

func (r *reader) line(number int, raw []byte) {
	r.seen = number
	s, bad := text(raw)
	if mostlyNoText(bad, len(raw)) {
		r.log.Garbled++
		return
	}
	for _, part := range split(unstamped(s)) {
		if part, kernel := unclocked(part); part != "" {
			r.words(number, part, kernel)
		}
	}
}

// words is told of a line without what stands before its words.
func (r *reader) words(number int, s string, kernel bool) {
	if !r.comes(number, s) && !r.early(number, s) && r.log.Last == nil && kernel {
		r.stage(number, Linux, []string{"", "", "", ""})
	}
	b := r.log.Last
	if b == nil {
		return
	}
	for _, f := range factForms {
		if strings.Contains(s, f.has) {
			if m := find(f.re, s); m != nil {
				f.set(b, m)
			}
		}
	}
	if b.Starts && b.start == 0 {
		b.start = number
	}
	r.mark(b, number, s)
	b.End = clip(s)
}

// comes looks for the line with which a stage comes to life.
func (r *reader) comes(number int, s string) bool {
	for _, f := range stageForms {
		if !strings.Contains(s, f.has) {
			continue
		}
		if m := f.re.FindStringSubmatch(s); m != nil {
			r.stage(number, f.stage, append(m, "", "", ""))
			return true
		}
	}
	return false
}

// early looks for the lines of a stage whose first line is lost.
func (r *reader) early(number int, s string) bool {
	b := r.log.Last
	for _, f := range middleForms {
		if b != nil && (f.first || b.Reached().order() == f.stage.order()) || !strings.Contains(s, f.has) {
			continue
		}
		if f.re.MatchString(s) {
			r.stage(number, f.stage, []string{"", "", "", ""})
			return true
		}
	}
	return false
}

func find(re *regexp.Regexp, s string) []string {
	if re == nil {
		return []string{s}
	}
	return re.FindStringSubmatch(s)
}

// stage is told of a stage that came to life, and of its version, source and time
// of building. One that cannot follow what was reached begins another boot.
func (r *reader) stage(number int, name StageName, m []string) {
	b := r.log.Last
	if b != nil && name == Userspace && b.inside {
		name = Initrd
	}
	anew := name.order() <= Linux.order()
	switch {
	case b == nil, anew && name.order() <= b.Reached().order() && !b.again(name) && !b.begun(name, number, m[1]):
		r.finish(number-1, false)
		b = &Boot{Line: number, Models: []Model{}, Stages: []Stage{}, Failed: []string{}, Marks: []Mark{}}
		r.log.Before, r.log.Last = r.log.Last, b
		r.log.Boots++
	case b.Stage(name) != nil:
		if s := b.Stage(name); s.Version == "" {
			*s = newStage(name, s.Line, m)
		}
		return
	}
	b.Stages = append(b.Stages, newStage(name, number, m))
	b.Prompt = ""
}

func newStage(name StageName, number int, m []string) Stage {
	s := Stage{Name: name, Line: number, Version: clip(m[1]), Source: clip(strings.TrimSpace(m[2])), Built: clip(m[3])}
	if hash := storeRE.FindStringSubmatch(s.Version); name == UBoot && hash != nil {
		s.Store = hash[1]
	}
	return s
}

// storeRE is the hash of a store path at the end of a version. Nix's alphabet
// leaves out e, o, t and u (libutil/hash.cc).
var storeRE = regexp.MustCompile(`-([0-9a-df-np-sv-z]{32})$`)

// again tells whether a stage is printed once more by the same boot: Linux, when
// a user who logged in looks at its messages.
func (b *Boot) again(name StageName) bool {
	return name == Linux && b.Up && !b.down && !slices.ContainsFunc(b.Marks, func(m Mark) bool { return m.Code == "linux-panic" })
}

// begun tells whether a stage has come to life just before it told its version:
// Linux says on which CPU it boots.
func (b *Boot) begun(name StageName, number int, version string) bool {
	s := b.Stage(name)
	return s != nil && b.Reached() == name && s.Version == "" && version != "" && number-s.Line <= 4
}

// finish ends a boot at a line, because another one begins or because the log
// ends.
func (r *reader) finish(number int, last bool) {
	r.log.Lines = max(number, r.seen)
	b := r.log.Last
	if b == nil {
		return
	}
	b.settle()
	how := string(b.Reached()) + " " + b.cause().Code
	switch {
	case b.Up:
		r.log.Loop, r.how = 0, ""
	case how == r.how:
		r.log.Loop++
	case last && r.log.Loop > 1 && b.cause().Code == "" && b.Reached().order() <= r.log.Before.Reached().order():
		r.log.Half = true // the recording ends somewhere in one more round
	default:
		r.log.Loop, r.how = 1, how
	}
}

// settle concludes what no single line says.
func (b *Boot) settle() {
	if b.Up && b.Stage(Userspace) == nil {
		b.Stages = append(b.Stages, Stage{Name: Userspace, Line: b.Line})
	}
	if b.Medium.Name != "" {
		return
	}
	// MediaTek's boards have one controller for card and eMMC, so what Linux
	// found there is what they started from, if it was no flash.
	if bl2 := b.Stage(BL2); bl2 != nil {
		if m := mediumRE.FindString(bl2.Source); m != "" {
			b.Medium = Medium{map[string]string{"sdmmc": "sd", "spim-nand": "spi-nand", "snand": "spi-nand"}[m], "BL2: " + bl2.Source}
			if b.Medium.Name == "" {
				b.Medium.Name = m
			}
			return
		}
	}
	if strings.HasPrefix(b.SoC, "MT79") && b.card != "" && strings.HasPrefix(b.Loader, "mmc") {
		b.Medium = Medium{b.card, "U-Boot: " + b.Loader + "; Linux: the card there"}
	}
}

// mediumRE is MediaTek's BOOT_DEVICE where OpenWrt has it in the version.
var mediumRE = regexp.MustCompile(`sdmmc|emmc|spim-nand|snand`)

func (r *reader) mark(b *Boot, number int, s string) {
	for _, f := range markForms {
		if !strings.Contains(s, f.has) {
			continue
		}
		if m := find(f.re, s); m != nil {
			b.note(Mark{f.code, b.Reached(), number, 1, clip(s), clip(strings.TrimRight(strings.Join(m[1:], ""), "."))})
			return
		}
	}
	for _, o := range otherWords {
		if strings.Contains(s, o.has) {
			b.note(Mark{o.code, b.Reached(), number, 1, clip(s), ""})
			return
		}
	}
}

// note keeps the first mark of its code, and counts the others.
func (b *Boot) note(m Mark) {
	switch m.Code {
	case "stage-1", "emergency":
		b.Prompt = m.Code
	}
	if old := b.Mark(m.Code); old != nil {
		old.Count++
		return
	}
	b.Marks = append(b.Marks, m)
}

// clip shortens a text that is kept, between characters.
func clip(s string) string {
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
	for !isStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func isStart(c byte) bool { return c&0xc0 != 0x80 }
