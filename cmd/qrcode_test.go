package cmd_test

import (
	"image"
	"image/draw"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/rogpeppe/go-internal/testscript"
)

// halves are the upper and the lower half of what a character shows on a dark terminal: true is
// light.
var halves = map[rune][2]bool{' ': {false, false}, '█': {true, true}, '▀': {true, false}, '▄': {false, true}}

// photograph is what a camera sees of a QR code on a terminal.
func photograph(ts *testscript.TestScript, text string) image.Image {
	const module = 4 // pixels
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	width := len([]rune(lines[0]))
	img := image.NewGray(image.Rect(0, 0, module*width, 2*module*len(lines)))
	for y, line := range lines {
		if n := len([]rune(line)); n != width {
			ts.Fatalf("line %d has %d characters, and the first has %d", y+1, n, width)
		}
		for x, char := range []rune(line) {
			shown, ok := halves[char]
			if !ok {
				ts.Fatalf("%q is in the picture", char)
			}
			for half, light := range shown {
				if light {
					at := image.Pt(module*x, module*(2*y+half))
					draw.Draw(img, image.Rectangle{at, at.Add(image.Pt(module, module))}, image.White, image.Point{}, draw.Src)
				}
			}
		}
	}
	return img
}

// scans reads the QR code of the last command's output, and wants the text of a file in it. A line of
// that which is a comment is not in the picture.
func scans(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: scans FILE")
	}
	photo, err := gozxing.NewBinaryBitmapFromImage(photograph(ts, ts.ReadFile("stdout")))
	ts.Check(err)
	got, err := qrcode.NewQRCodeReader().DecodeWithoutHints(photo)
	ts.Check(err)
	var want strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if !strings.HasPrefix(line, "#") {
			want.WriteString(line)
		}
	}
	if got.GetText() != want.String() {
		ts.Fatalf("the picture says\n%s\nwant\n%s", got.GetText(), want.String())
	}
}
