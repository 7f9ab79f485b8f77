package firmware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// watchdogSlack is how many seconds less than the longest the watchdog waits, so that no
// rounding in a driver refuses the time.
const watchdogSlack = 1

// feeds tells whether systemd is to feed the board's watchdog, and how long it waits.
func (b *Block) feeds(p *Profile) (seconds int, ok bool) {
	if !b.Watchdog.V || p.Watchdog == nil {
		return 0, false
	}
	return p.Watchdog.MaxSeconds - watchdogSlack, true
}

// lowerWatchdog lets systemd feed the board's watchdog while it runs and while it shuts
// down, for which systemd would ask for ten minutes (systemd-system.conf(5)).
func (b *Block) lowerWatchdog(m *nixgen.Module, p *Profile) {
	seconds, ok := b.feeds(p)
	if !ok {
		return
	}
	for _, name := range []string{"RuntimeWatchdogSec", "RebootWatchdogSec"} {
		m.Set(at(b, b.Watchdog), nixgen.Str(fmt.Sprintf("%ds", seconds)), "systemd", "settings", "Manager", name)
	}
}

// watchdogCheck adds the check that the board is reset when the router hangs: systemd has
// the watchdog open, at most for the time that it can wait.
func (b *Block) watchdogCheck(r *router.Router, plan *verify.Plan) {
	p := ProfileOf(r.Board.ID)
	seconds, ok := b.feeds(p)
	if !ok {
		return
	}
	from := b.Watchdog.Range
	if !b.Watchdog.Set {
		from = b.Def
	}
	const hint = "systemctl show -p RuntimeWatchdogUSec -p WatchdogDevice; ls /sys/class/watchdog"
	want := fmt.Sprintf("fed by systemd, at most %d s", seconds)
	plan.Add(verify.Check{ID: b.Addr.String() + "/watchdog", Title: "a router that hangs is reset", From: from, Eval: func(st *state.State) verify.Verdict {
		w := st.Watchdog
		if w == nil {
			return verify.NotSeen(want, hint)
		}
		v := verify.Verdict{Status: verify.Fail, Want: want, Hint: hint}
		device := strings.TrimPrefix(w.Device, "/dev/")
		switch {
		case w.Runtime == 0:
			v.Got = "systemd feeds none"
		case len(w.Devices) == 0:
			v.Got = "the kernel has no watchdog"
		case w.Device == "":
			v.Got = "systemd has none open"
		case !slices.Contains(w.Devices, device) && device != "watchdog":
			v.Got = w.Device + ", which is not there"
		default:
			v = verify.Judge(w.Runtime <= uint64(seconds)*1e6, want, fmt.Sprintf("%s, %v s", w.Device, float64(w.Runtime)/1e6), hint)
		}
		return v
	}})
}
