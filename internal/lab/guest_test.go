package lab_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A package whose guest does all that a guest should not do: each shows outside. One machine
// boots, and one more is stopped before it has.
func TestBadGuests(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "./testdata/guest").CombinedOutput()
	if err == nil {
		t.Errorf("the tests pass")
	}
	text := string(out)
	for _, want := range []string{
		`(?m)^    --- PASS: TestBench/TestGuestPasses `,
		`all is well in here`,
		`(?m)^    --- FAIL: TestBench/TestGuestFails `,
		`it fails in the guest:(?s:.*)two and two are not five(?s:.*)--- FAIL: TestGuestFails/inside`,
		`(?m)^    --- FAIL: TestBench/TestGuestSkips `,
		`it is skipped, where it was made to run:(?s:.*)not on a desk`,
		`(?m)^    --- FAIL: TestBench/TestGuestPanics `,
		`panic: oh no(?s:.*)inside_test.go`,
		`(?m)^--- FAIL: TestBench `,
		`(?m)^--- FAIL: TestTooLate `,
		`lab: the machine was stopped after 1s`,
		`(?m)^--- FAIL: TestNoSuchModule `,
		`lab: kernel \S+ has no module no_such_module`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "TestGuestNeverRuns") {
		t.Error("a test ran after the panic")
	}
	if t.Failed() {
		t.Log(text)
	}
}
