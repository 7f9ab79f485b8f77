package graph_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/router/graph"
)

// The advance of the characters from space to ~ in DejaVu Sans 2.37, Book and Bold, in
// hundredths of the size: it is the widest of the usual fonts for user interfaces, and the
// default of Linux.
var (
	dejaVu     = []int{32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84}
	dejaVuBold = []int{35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 59, 100, 78, 77, 74, 84, 69, 69, 83, 84, 38, 38, 78, 64, 100, 84, 86, 74, 86, 78, 73, 69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 50, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84}
)

// No text is measured narrower than a usual font has it.
func TestWidths(t *testing.T) {
	for i := range dejaVu {
		if c := string(rune(' ' + i)); graph.Regular[i] < dejaVu[i] || graph.Bold[i] < dejaVuBold[i] {
			t.Errorf("%q: %d and %d, in DejaVu Sans %d and %d", c, graph.Regular[i], graph.Bold[i], dejaVu[i], dejaVuBold[i])
		}
	}
	// The monospaced ones have 0.6 em and a little (DejaVu Sans Mono 0.602).
	if got := graph.Width("a", strings.Repeat("0", 100)); got < 1+12*602/10 {
		t.Errorf("100 digits are %d wide", got)
	}
}

// TestContrast wants what WCAG 2.2 (1.4.3, 1.4.11) wants on light and on dark pages: 4.5 for
// texts, 3 for lines, against what is behind them.
func TestContrast(t *testing.T) {
	colours := map[string][2]string{}
	for _, c := range graph.Palette {
		for _, one := range strings.Split(c.Selector(), ",") {
			colours[one+" "+c.Property()] = [2]string{c.Light(), c.Dark()}
		}
	}
	for _, tt := range []struct {
		front, back string
		least       float64
	}{
		{"text fill", ".page fill", 4.5},
		{"text fill", ".zone fill", 4.5},
		{"text fill", ".zone.up fill", 4.5},
		{"text fill", ".card fill", 4.5},
		{"text fill", ".card.base fill", 4.5},
		{"text fill", ".card.out fill", 4.5},
		{".s fill", ".page fill", 4.5},
		{".s fill", ".card fill", 4.5},
		{".s fill", ".card.base fill", 4.5},
		{".s fill", ".card.out fill", 4.5},
		{".idle text fill", ".page fill", 4.5},
		{".q fill", ".p fill", 4.5},
		{".s fill", ".p.c fill", 4.5},
		{".v.accept fill", ".card fill", 4.5},
		{".v.deny fill", ".card fill", 4.5},
		{".v.forward fill", ".card fill", 4.5},
		{".w stroke", ".page fill", 3},
		{".w stroke", ".zone fill", 3},
		{".w stroke", ".zone.up fill", 3},
		{".w.accept stroke", ".page fill", 3},
		{".w.accept stroke", ".zone fill", 3},
		{".w.deny stroke", ".page fill", 3},
		{".w.forward stroke", ".page fill", 3},
		{".card stroke", ".page fill", 3},
	} {
		for i, page := range []string{"light", "dark"} {
			if got := contrast(t, colours[tt.front][i], colours[tt.back][i]); got < tt.least {
				t.Errorf("%s on %s, %s: %.2f, and %.1f is wanted", tt.front, tt.back, page, got, tt.least)
			}
		}
	}
	if !strings.Contains(graph.Style, "@media (prefers-color-scheme:dark)") || strings.Contains(graph.Style, "url(") || strings.Contains(graph.Style, "@import") || strings.Contains(graph.Style, "@font-face") {
		t.Error("the style has no dark form, or names another file")
	}
}

// contrast is the ratio of two colours (WCAG 2.2, relative luminance).
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(c string) float64 {
		n, err := strconv.ParseUint(strings.TrimPrefix(c, "#"), 16, 32)
		if err != nil || len(c) != 7 {
			t.Fatalf("%q is no colour", c)
		}
		sum := 0.0
		for i, weight := range []float64{0.0722, 0.7152, 0.2126} {
			v := float64(n>>(8*i)&255) / 255
			if v <= 0.04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+0.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
