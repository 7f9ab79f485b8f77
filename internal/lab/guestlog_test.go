package lab

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestComplaints(t *testing.T) {
	for _, tt := range []struct {
		name   string
		o      outcome
		failed bool
		want   string
	}{
		{"all is well", outcome{status: "exit status 0", output: "\x16=== RUN   TestGuestX\n\x16--- PASS: TestGuestX (0.00s)\nPASS\n"}, false, ""},
		{"a failure is told by its test", outcome{status: "exit status 1", output: "\x16=== RUN   TestGuestX\n\x16--- FAIL: TestGuestX (0.00s)\n"}, true, ""},
		{"the process ends behind the tests' back", outcome{status: "exit status 3", output: "\x16=== RUN   TestGuestX\n\x16--- PASS: TestGuestX (0.00s)\n"}, false, "ended with exit status 3 and none of them failed"},
		{"nothing is written", outcome{status: "exit status 0"}, false, "no test ran"},
		{"a test prints what looks like one", outcome{status: "exit status 0", output: "=== RUN   TestGuestX\n--- PASS: TestGuestX (0.00s)\n"}, false, "no test ran"},
		{"the machine has had enough", outcome{trouble: "the machine ended before its tests did"}, false, "before its tests did"},
	} {
		tests, _ := tt.o.tests()
		if got := tt.o.complaint(len(tests), tt.failed); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What the testing package says when no test has the name is exit status 0 and PASS.
func TestNoTestIsNoPass(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestGuestThatIsNot$", "-test.v=test2json")
	out, err := nstest.Output(cmd)
	if err != nil || !strings.Contains(out, "no tests to run") {
		t.Fatalf("%v: %s", err, out)
	}
	o := outcome{status: cmd.ProcessState.String(), output: out}
	tests, _ := o.tests()
	if got := o.complaint(len(tests), false); !strings.Contains(got, "no test ran") {
		t.Errorf("%d tests, complaint %q, of %q", len(tests), got, out)
	}
}

func TestVerdicts(t *testing.T) {
	o := outcome{output: "before\n" +
		"\x16=== RUN   TestA\n\x16=== RUN   TestA/x\na writes\n\x16=== PAUSE TestA\n" +
		"\x16=== RUN   TestB\nb writes\n\x16=== CONT  TestA\na goes on\n" +
		"\x16--- SKIP: TestB (0.00s)\n\x16--- FAIL: TestA (0.00s)\n    \x16--- PASS: TestA/x (0.00s)\n" +
		"\x16=== RUN   TestC\nc crashes\n"}
	tests, other := o.tests()
	if other != "before\n" || len(tests) != 3 {
		t.Fatalf("%q, %d tests", other, len(tests))
	}
	for i, want := range []guestTest{
		{"TestA", "FAIL", "a writes a goes on"},
		{"TestB", "SKIP", "b writes"},
		{"TestC", "", "c crashes"},
	} {
		got := tests[i]
		if got.name != want.name || got.verdict != want.verdict || got.complaint() == "" {
			t.Errorf("%+v, want %+v", got, want)
		}
		for _, word := range strings.SplitAfter(want.text, "writes") {
			if !strings.Contains(got.text, strings.TrimSpace(word)) {
				t.Errorf("%s: no %q in %q", got.name, word, got.text)
			}
		}
	}
}
