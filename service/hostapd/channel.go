package hostapd

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// channels are those of 20 MHz in a band (IEEE 802.11-2020 annex E), whether or not a country has them.
func channels(of Band) []int {
	every := func(step, from, to int) (out []int) {
		for c := from; c <= to; c += step {
			out = append(out, c)
		}
		return out
	}
	switch of {
	case twoGHz:
		return every(1, 1, 13)
	case fiveGHz:
		return slices.Concat(every(4, 36, 64), every(4, 100, 144), every(4, 149, 177))
	case sixGHz:
		return every(4, 1, 233)
	}
	return nil
}

// frequency is that of a channel, in MHz.
func frequency(of Band, channel int) int {
	switch of {
	case twoGHz:
		return 2407 + 5*channel
	case fiveGHz:
		return 5000 + 5*channel
	case sixGHz:
		return 5950 + 5*channel
	}
	return 0
}

// channelAt is the channel of a band with a frequency, 0 if there is none.
func channelAt(of Band, mhz int) int {
	for _, c := range channels(of) {
		if frequency(of, c) == mhz {
			return c
		}
	}
	return 0
}

// A wide channel is some of 20 MHz together.
type wide struct {
	first, last int // of those of 20 MHz
	center      int // the number that hostapd knows it by
}

// widen is the channel of a width that a primary one is in; false if the band has none.
func widen(of Band, channel, width int) (wide, bool) {
	n := 4 * (width/20 - 1) // from the first to the last
	from := 1
	if of == fiveGHz {
		from = 36
		if channel >= 149 {
			from = 149
		}
	}
	if of == twoGHz && width > 20 {
		return wide{}, false
	}
	if of == twoGHz {
		return wide{channel, channel, channel}, slices.Contains(channels(of), channel)
	}
	first := channel - (channel-from)%(n+4)
	w := wide{first, first + n, first + n/2}
	all := channels(of)
	for c := w.first; c <= w.last; c += 4 {
		if !slices.Contains(all, c) {
			return w, false
		}
	}
	return w, slices.Contains(all, channel)
}

// radar tells whether a channel, or a part of it, is one where most countries have an access point listen
// for radar, for a minute or more, and go away when it hears some (ETSI EN 301 893, 47 CFR 15.407(h)).
func (w wide) radar(of Band) bool { return of == fiveGHz && w.last > 48 && w.first < 149 }

// radar tells whether the radio's channel is such a one.
func (b *WiFi) radar() bool {
	w, ok := widen(b.Band.V, int(b.Channel.V), b.width())
	return b.Channel.Set && ok && w.radar(b.Band.V)
}

// swapped tells whether a channel is the one beside the radio's, in 40 MHz of the 5 GHz band: hostapd has the
// two change places where another access point has them so (IEEE 802.11-2020 section 11.15.3.2).
func (b *WiFi) swapped(got int) bool {
	if b.Band.V != fiveGHz || !b.Channel.Set || b.width() < 40 {
		return false
	}
	ours, _ := widen(fiveGHz, int(b.Channel.V), 40)
	its, _ := widen(fiveGHz, got, 40)
	return ours == its
}

// width is that of the radio's channel in MHz: what is written, or what there is up to 80 MHz
// in most countries: fewer have 144, and what is above 165, than the channels beside.
func (b *WiFi) width() int {
	if b.Width.Set {
		return b.Width.V.megahertz()
	}
	widest := 80
	switch {
	case b.Band.V == twoGHz:
		widest = 20
	case b.Standard.V == n11:
		widest = 40
	}
	if c := b.Channel.V; b.Band.V == fiveGHz {
		switch {
		case c == 140, c == 144, c >= 165:
			widest = 20
		case c >= 132 && c < 149:
			widest = min(widest, 40)
		}
	}
	if b.Channel.Set {
		for ; widest > 20; widest /= 2 {
			if _, ok := widen(b.Band.V, int(b.Channel.V), widest); ok {
				break
			}
		}
	}
	return widest
}

// judgeChannel wants a channel that the band has, as wide as the standard can.
func (b *WiFi) judgeChannel() hcl.Diagnostics {
	one := func(d *hcl.Diagnostic) hcl.Diagnostics { return hcl.Diagnostics{d} }
	if b.Band.V == sixGHz && b.Standard.V != ax11 {
		return one(diag.With(diag.Help(diag.Error("wifi-6ghz", b.Standard.Range, "Standard that the 6 GHz band does not have",
			"Nothing older than 802.11ax sends in the 6 GHz band."), "Remove the line."), b.Band.Range, "the band"))
	}
	if b.Band.V == twoGHz && b.Standard.V == ac11 {
		return one(diag.With(diag.Help(diag.Error("wifi-standard", b.Standard.Range, "Standard that the 2.4 GHz band does not have",
			"802.11ac is for the 5 GHz band alone (IEEE 802.11-2020 clause 21)."), "Write standard = \"802.11n\"."), b.Band.Range, "the band"))
	}
	if b.Channel.Set && !slices.Contains(channels(b.Band.V), int(b.Channel.V)) {
		return one(diag.With(diag.Help(diag.Error("wifi-channel", b.Channel.Range, "Channel of another band",
			"The %s band has no channel %d.", b.Band.V, b.Channel.V), "Write one of its channels, or the band that has it."), b.Band.Range, "the band"))
	}
	width, at := b.width(), cmp.Or(b.Width.Range, b.Band.Range)
	if !b.Channel.Set {
		widest := map[Band]int{twoGHz: 20, fiveGHz: 80, sixGHz: 160}[b.Band.V] // in 5 GHz there are 160 MHz only with channels of radar
		if width > widest {
			return one(diag.With(diag.Help(diag.Error("wifi-width", at, "Channel wider than the radio would find",
				"The widest channel of the %s band that the radio may take by itself has %d MHz.", b.Band.V, widest),
				"Write width = \"%dMHz\" or less, or a channel.", widest), b.Band.Range, "the band"))
		}
	} else {
		w, ok := widen(b.Band.V, int(b.Channel.V), width)
		switch {
		case !ok && b.Band.V == twoGHz:
			return one(diag.With(diag.Help(diag.Error("wifi-width", at, "Channel that is not as wide",
				"nbr has a radio send 20 MHz in the 2.4 GHz band, which has room for three such channels and for no two wider ones."),
				"Remove the line."), b.Band.Range, "the band"))
		case !ok:
			return one(diag.With(diag.Help(diag.Error("wifi-width", at, "Channel that is not as wide",
				"Channel %d of the %s band is in none of %d MHz.", b.Channel.V, b.Band.V, width),
				"Write a smaller width or another channel."), b.Channel.Range, "the channel"))
		case w.radar(b.Band.V):
			return one(diag.Help(diag.Warning("wifi-radar", b.Channel.Range, "Channel where radar comes first",
				"On channels %d to %d the radio first listens for radar, for a minute, or for ten where it is weather's (120 to 128), and sends nothing until then. When it hears some it goes to another channel.", w.first, w.last),
				"Take 36 to 48 for one that is there at once."))
		case b.Band.V == sixGHz && b.Channel.V%16 != 5:
			return one(diag.Help(diag.Warning("wifi-psc", b.Channel.Range, "Channel where clients do not look",
				"In the 6 GHz band a client looks on each fourth channel, 5, 21, 37 and so on up to 229 (preferred scanning channels), and finds the access point on another one only if it hears of it in another band."),
				"Write channel = %d.", int(b.Channel.V)/16*16+5))
		}
	}
	if limit := map[Standard]int{n11: 40}[b.Standard.V]; limit > 0 && width > limit {
		return one(diag.With(diag.Help(diag.Error("wifi-width", at, "Channel wider than the standard has",
			"%s has channels of at most %d MHz.", b.Standard.V, limit), "Write width = \"%dMHz\" or less.", limit), b.Standard.Range, "the standard"))
	}
	return nil
}
