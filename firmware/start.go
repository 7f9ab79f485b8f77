package firmware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
)

// Recognise are the boards that an image can be for: its partitions are where
// nixos-sbc puts them for the board, and U-Boot is built for the SoC.
func Recognise(img *image.Image) []*Profile {
	var out []*Profile
	for _, p := range profiles() {
		if p.UEFI == nil && p.laidOut(img.GPT) && (p.Firmware.ATFAttr == "" || img.FIP != nil && p.drives(img.FIP)) {
			out = append(out, p)
		}
	}
	return out
}

func (p *Profile) laidOut(g *image.GPT) bool {
	for _, want := range p.Firmware.Layout {
		ps := g.Named(want.Name)
		if len(ps) != 1 || ps[0].First != want.First || want.Last > 0 && ps[0].Last != want.Last {
			return false
		}
	}
	return true
}

// A Tip is one thing to know before a board starts from a new card.
type Tip struct{ About, Text string }

// FirstStart is what to do with a card that has just been written, for one of these
// boards. Without a spec, r is nil.
func FirstStart(boards []*Profile, r *router.Router) []Tip {
	var names []string
	for _, p := range boards {
		names = append(names, p.Name)
	}
	if len(boards) == 0 {
		return []Tip{{"board", "not recognised: with the folder of the spec, nbr says how its switches stand and what its serial console and first login are"}}
	}
	tips := []Tip{
		{"board", strings.Join(names, " or ")},
		{"switches", one(boards, (*Profile).switches)},
		{"serial", one(boards, (*Profile).serial)},
	}
	if r == nil {
		return append(tips, Tip{"first login", "a spec would tell: name its folder after the file"})
	}
	return append(tips, Tip{"first login", firstLogin(r)})
}

// one is what all boards have in common, or how each is.
func one(boards []*Profile, say func(*Profile) string) string {
	var all []string
	for _, p := range boards {
		all = append(all, say(p))
	}
	return strings.Join(slices.Compact(all), ", or ")
}

func (p *Profile) switches() string {
	if p.UEFI != nil {
		return "none: the firmware's setup chooses the disk, and has Secure Boot off"
	}
	if p.BootSwitch == nil || p.BootSwitch.Positions["sd"] == "" {
		return "whether it has any for the medium, and how they stand, nbr does not know"
	}
	return fmt.Sprintf("%s at %s for the card (%s)", p.BootSwitch.Name, p.BootSwitch.Positions["sd"], p.BootSwitch.Legend)
}

func (p *Profile) serial() string {
	tty, baud, _ := strings.Cut(p.Console, ",")
	return fmt.Sprintf("%s 8N1, no flow control (%s of the board)", baud, tty)
}

// firstLogin is how to get in, by the network if that can be told.
func firstLogin(r *router.Router) string {
	var users []string
	for _, l := range router.Claimed[router.Login](r) {
		if !slices.Contains(users, l.User) {
			users = append(users, l.User)
		}
	}
	if len(users) == 0 {
		return "no login is possible: the spec has no user with a key or a password"
	}
	var ways []string
	for _, l := range r.Listening("ssh") {
		for _, n := range l.Networks {
			ways = append(ways, sshTo(users[0], n, l.Port))
		}
	}
	text := strings.Join(ways, ", or ")
	if len(ways) == 0 {
		text = users[0] + " on the serial console: the spec has no ssh block"
	}
	if len(users) > 1 {
		text += "; others that may: " + strings.Join(users[1:], ", ")
	}
	return text
}

func sshTo(user string, n *router.Network, port int) string {
	command := "ssh "
	if port != 22 {
		command += fmt.Sprintf("-p %d ", port)
	}
	fixed, _ := n.Split()
	if len(fixed) > 0 {
		return fmt.Sprintf("%s%s@%s in %s", command, user, fixed[0].Addr(), n.Addr)
	}
	return fmt.Sprintf("%s%s@ADDRESS in %s, with the address that it gets there", command, user, n.Addr)
}
