package lab

import (
	"strings"
	"testing"
)

// An outcome is what came out of a guest.
type outcome struct {
	status   string // how the tests' process ended, as os.ProcessState has it
	output   string // of the tests, as test2json reads it
	console  string // of the firmware and the kernel
	emulator string // its complaints
	trouble  string // why the machine did not do all it should have, or ""
}

// A guestTest is one test of a guest, with those inside it.
type guestTest struct {
	name    string
	verdict string // PASS, FAIL, SKIP, or "" if it did not end
	text    string // what was written while it ran
}

// tests takes the output apart. What the testing package itself says begins with a ^V, which
// tests do not print (cmd/test2json).
func (o outcome) tests() (list []*guestTest, other string) {
	byName := map[string]*guestTest{}
	var current *guestTest
	for line := range strings.Lines(o.output) {
		_, said, marked := strings.Cut(line, "\x16")
		words := strings.Fields(said)
		switch {
		case marked && len(words) >= 3: // === RUN TestX/y, --- PASS: TestX (0.00s)
			name, _, inner := strings.Cut(words[2], "/")
			if byName[name] == nil {
				byName[name] = &guestTest{name: name}
				list = append(list, byName[name])
			}
			current = byName[name]
			if words[0] == "---" && !inner {
				current.verdict = strings.TrimSuffix(words[1], ":")
			}
		case marked: // === NAME, and no name: what follows is of no test
			current = nil
			continue
		}
		line = strings.ReplaceAll(line, "\x16", "")
		if current == nil {
			other += line
		} else {
			current.text += line
		}
	}
	return list, other
}

// report makes the guest's tests parts of t.
func (o outcome) report(t *testing.T) {
	t.Helper()
	tests, other := o.tests()
	failed := false
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if complaint := test.complaint(); complaint != "" {
				failed = true
				t.Errorf("%s:\n%s", complaint, test.text)
			} else {
				t.Log(test.text)
			}
		})
	}
	if complaint := o.complaint(len(tests), failed); complaint != "" {
		t.Errorf("lab: %s\nthe tests wrote: %s\nthe console: %s", complaint, other, tail(o.emulator+o.console))
	}
}

// complaint is why a test does not pass, or "".
func (g *guestTest) complaint() string {
	switch g.verdict {
	case "PASS":
		return ""
	case "FAIL":
		return "it fails in the guest"
	case "SKIP":
		return "it is skipped, where it was made to run"
	default:
		return "it did not end"
	}
}

// complaint is what is wrong with the run as a whole, or "".
func (o outcome) complaint(tests int, failed bool) string {
	switch {
	case o.trouble != "":
		return o.trouble
	case tests == 0:
		return "no test ran in the guest (" + o.status + ")"
	case o.status != "exit status 0" && !failed:
		return "the tests ended with " + o.status + " and none of them failed"
	}
	return ""
}

// tail are the last lines of a console, for a person to read.
func tail(console string) string {
	lines := strings.Split(strings.TrimSpace(console), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
