package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
)

func found(id string, s verify.Status, got string) verify.Result {
	return verify.Result{Check: verify.Check{ID: id, Title: id}, Verdict: verify.Verdict{Status: s, Want: "well", Got: got}}
}

func printed(t *testing.T, r *report.Report, all bool) string {
	t.Helper()
	var b strings.Builder
	if err := r.Text(&diag.Writer{W: &b}, all); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestOneCause wants one of many results of a cause, the number of the others and the sum
// at the end.
func TestOneCause(t *testing.T) {
	r := &report.Report{Router: "r", Missed: map[string]string{"units": "no D-Bus"}}
	for i := range 25 {
		r.Results = append(r.Results, found(fmt.Sprintf("network.lan/%d", i), verify.Fail, "no br-lan"))
	}
	r.Results = append(r.Results, found("zone.lan/a", verify.Fail, "no br-lan"), found("zone.lan/b", verify.Unknown, "something else"))
	got := printed(t, r, false)
	for _, want := range []string{"  FAIL 24 more with the same: no br-lan\n", "  FAIL 1 more with the same: no br-lan\n", "not looked at:\n  unknown units: no D-Bus\n", "[zone.lan/b]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if n := strings.Count(got, "got   no br-lan"); n != 1 {
		t.Errorf("the cause is shown %d times", n)
	}
	if !strings.HasSuffix(got, "\nr: 27 checks: 26 fail, 1 unknown\n") {
		t.Errorf("the sum is not the last line:\n%s", got)
	}
	if n := strings.Count(printed(t, r, true), "got   no br-lan"); n != 26 {
		t.Errorf("-v shows %d of 26", n)
	}
}

// TestAnotherMachine says of another machine that it is one, first and once.
func TestAnotherMachine(t *testing.T) {
	up := found("network.lan/up", verify.Fail, "not there")
	board := found("firmware/board", verify.Unknown, "could not be seen")
	r := &report.Report{Router: "r", Results: []verify.Result{found("router.r/hostname", verify.Fail, "laptop"), board, up, found("ssh/unit", verify.Fail, "inactive")}}
	const want = "This machine is not r: its name is laptop, its board could not be seen, and none of the links of the spec is up.\n"
	got := printed(t, r, false)
	if !strings.HasPrefix(got, want) || strings.Contains(got, "want ") || !strings.HasSuffix(got, "\nr: 4 checks: 3 fail, 1 unknown\n") {
		t.Error(got)
	}
	if got := printed(t, r, true); !strings.HasPrefix(got, want) || strings.Count(got, "want ") != 4 {
		t.Error(got)
	}
	r.Results[2].Status = verify.Pass
	if got := printed(t, r, false); strings.Contains(got, "This machine") {
		t.Error(got)
	}
}
