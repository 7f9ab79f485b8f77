package firmware

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// root is what the root file system is and what it is on.
type root struct {
	Type      string `json:"type"`            // btrfs, ext4, …
	Subvolume string `json:"subvolume"`       // the part of it that is mounted; / is all of it
	Source    string `json:"source"`          // the device: /dev/mmcblk0p5
	Bytes     uint64 `json:"bytes,omitempty"` // of the whole card or eMMC; 0 if the source is none
}

// rootOf asks for the file system that is mounted on a path.
var rootOf = &probe.Probe[string, root]{Name: "firmware.root", Look: lookRoot}

// partitionRE has the disk of a partition (block/genhd.c, disk_name).
var partitionRE = regexp.MustCompile(`^/dev/(mmcblk\d+|nvme\d+n\d+|[sv]d[a-z]+)p?\d*$`)

func lookRoot(_ context.Context, h probe.Host, path string) (root, error) {
	text, err := h.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return root{}, err
	}
	r, ok := parseMount(string(text), path)
	if !ok {
		return root{}, fmt.Errorf("nothing is mounted on %s", path)
	}
	disk := partitionRE.FindStringSubmatch(r.Source)
	if disk == nil {
		return r, nil
	}
	size, err := h.ReadFile("/sys/class/block/" + disk[1] + "/size")
	if err != nil {
		return root{}, err
	}
	sectors, err := strconv.ParseUint(strings.TrimSpace(string(size)), 10, 54)
	r.Bytes = sectors * 512 // whatever the sectors of the device are (block/genhd.c)
	return r, err
}

// parseMount finds what was mounted on a path last (proc_pid_mountinfo(5)).
func parseMount(text, path string) (r root, ok bool) {
	for l := range strings.Lines(text) {
		left, right, _ := strings.Cut(l, " - ")
		f, of := strings.Fields(left), strings.Fields(right)
		if len(f) >= 5 && len(of) >= 2 && f[4] == path {
			r, ok = root{Type: of[0], Subvolume: f[3], Source: of[1]}, true
		}
	}
	return r, ok
}

// rootChecks adds the checks of the root file system and of the card that it is on.
func (b *Block) rootChecks(prof *Profile, p *verify.Plan) {
	const path, hint = "/", "findmnt /; lsblk"
	fs := verify.Check{ID: "firmware/root-filesystem", Title: "the root file system", From: cmp.Or(b.RootFilesystem.Range, b.Def)}
	want := string(b.filesystem(prof))
	verify.Asked(p, fs, rootOf, path, want, hint, func(_ *state.State, r root) verify.Verdict {
		got := r.Type
		if r.Type == "btrfs" && r.Subvolume != "/" {
			got = "btrfs-subvol"
		}
		return verify.Compare(want, got, hint)
	})
	if !b.Card.Set {
		return
	}
	// A card of "8 GB" has 8·10⁹ bytes at best, and often some less.
	least := uint64(b.Card.V) / 10 * 9
	wantCard := fmt.Sprintf("%d MiB or more", least>>20)
	card := verify.Check{ID: "firmware/card", Title: "the size of the card", From: b.Card.Range}
	verify.Asked(p, card, rootOf, path, wantCard, hint, func(_ *state.State, r root) verify.Verdict {
		if r.Bytes == 0 {
			return verify.NotAsked(wantCard, "the root file system is on "+r.Source, hint)
		}
		return verify.Judge(r.Bytes >= least, wantCard, fmt.Sprintf("%d MiB", r.Bytes>>20), hint)
	})
}

// cacheURL is nixos-sbc's own binary cache.
const cacheURL = "https://nixos-sbc.cachix.org"

// cacheCheck adds the check that Nix fetches from the cache of nixos-sbc.
func (b *Block) cacheCheck(p *verify.Plan) {
	if !b.BinaryCache.V {
		return
	}
	const hint = "nix config show substituters"
	c := verify.Check{ID: "firmware/binary-cache", Title: "Nix knows nixos-sbc's binary cache", From: b.BinaryCache.Range}
	q := probe.Setting{File: "/etc/nix/nix.conf", Keyword: "substituters"}
	verify.Asked(p, c, probe.Settings, q, cacheURL, hint, func(_ *state.State, values []string) verify.Verdict {
		got := ""
		if len(values) > 0 { // the last one counts (nix.conf(5))
			got = values[len(values)-1]
		}
		has := slices.ContainsFunc(strings.Fields(got), func(s string) bool { return strings.TrimSuffix(s, "/") == cacheURL })
		return verify.Judge(has, cacheURL, cmp.Or(got, "none"), hint)
	})
}

// clockOf asks a clock of the board for its time, in seconds since 1970 (UTC).
var clockOf = &probe.Probe[string, int64]{Name: "firmware.clock", Look: lookClock}

func lookClock(_ context.Context, h probe.Host, name string) (int64, error) {
	text, err := h.ReadFile("/sys/class/rtc/" + name + "/since_epoch")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err
}

// clockSlack is how far a clock with a battery may be off: a cheap one loses some minutes
// in a month without power, an empty one is years off.
const clockSlack = 24 * time.Hour

// clockCheck adds the check that the board's clock kept the time.
func (b *Block) clockCheck(p *verify.Plan) {
	if !b.ClockBattery.V {
		return
	}
	const want, hint = "the time, within a day", "cat /sys/class/rtc/rtc0/date /sys/class/rtc/rtc0/time"
	c := verify.Check{ID: "firmware/clock", Title: "the board's clock keeps the time", From: b.ClockBattery.Range}
	verify.Asked(p, c, clockOf, "rtc0", want, hint, func(st *state.State, seconds int64) verify.Verdict {
		if st.Time == 0 || st.Clock == nil || !st.Clock.Synchronised {
			return verify.NotAsked(want, "the router itself is not sure of the time", hint)
		}
		off := time.Duration(seconds-st.Time) * time.Second
		return verify.Judge(off.Abs() <= clockSlack, want, time.Unix(seconds, 0).UTC().Format(time.DateTime), hint)
	})
}
