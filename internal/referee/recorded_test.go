package referee_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe"
)

var record = flag.Bool("record", false, "write testdata/states/bench-b.json anew")

// recorded is what nbr observe sees of the whole router while it is healthy, as it is: the
// board, the kernel and its options are those of the computer that the test ran on.
const recorded = "../../testdata/states/bench-b.json"

// record writes the state of a healthy router for those who have none.
func (r *wholeRouter) record(t *testing.T) {
	t.Helper()
	// Some of it is not to be seen on this computer, which observe says with its exit code.
	out, err := r.Try(t, "nbr", "observe")
	if !strings.HasPrefix(out, "{") {
		t.Fatalf("nbr observe: %v\n%s", err, out)
	}
	if err := os.WriteFile(recorded, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What was seen of the healthy router replays anywhere with the same verdicts. A check that
// asks for something new fails here: record it with
//
//	go test ./internal/referee -run TestTheWholeRouter -record
func TestTheRecordedRouter(t *testing.T) {
	t.Parallel()
	f, err := os.Open(recorded)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := observe.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS(article), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	results, err := verify.Eval(spec.Plan(), st)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, res := range results {
		switch {
		case leftOut(elsewhere, res.ID) != "":
		case res.Status != verify.Pass:
			t.Errorf("%s is %s: want %s, got %s", res.ID, res.Status, res.Want, res.Got)
		default:
			passed++
		}
	}
	if passed == 0 {
		t.Error("nothing was judged")
	}
}
