package flash

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/firmware/image"
)

// The image is on the card, and sgdisk finds nothing wrong with the tables of a card
// of any size: the second one is at its end.
func TestWrite(t *testing.T) {
	t.Parallel()
	disk := plainImage(t)
	for _, size := range []int64{imageSize, imageSize + sector, imageSize + 20*sector, imageSize + 33*sector, imageSize + 1<<20, 40<<20 + 3*sector} {
		card := newFake(size)
		// A second run over a card with content is like the first.
		for range 2 {
			var steps []Step
			res, err := Write(t.Context(), card, source(disk), func(s Step, done, total int64) {
				if len(steps) == 0 || steps[len(steps)-1] != s {
					steps = append(steps, s)
				}
				if done < 0 || done > total {
					t.Errorf("%s: %d of %d", s, done, total)
				}
			})
			if err != nil {
				t.Fatalf("%d: %v", size, err)
			}
			if res.Moved != (size > imageSize) || res.Written != imageSize || len(steps) != 2 {
				t.Errorf("%d: %+v, %v", size, res, steps)
			}
		}
		out := run(t, "sgdisk", "-v", write(t, card.b))
		if !strings.Contains(out, "No problems found") || strings.Contains(strings.ToLower(out), "warning") {
			t.Errorf("%d: sgdisk: %s", size, out)
		}
		img := inspect(t, card.b)
		if img.GPT.LastUsable != uint64(size/sector)-34 || img.GPT.Sectors != uint64(size/sector) {
			t.Errorf("%d: the table is for another card: %+v", size, img.GPT)
		}
		for _, f := range img.Findings {
			if strings.HasPrefix(string(f.Code), "gpt") {
				t.Errorf("%d: %v", size, f)
			}
		}
		if !bytes.Equal(card.b[34*sector:(rootEnd+1)*sector], disk[34*sector:(rootEnd+1)*sector]) {
			t.Errorf("%d: the card has not what the image has", size)
		}
		// The old second table cannot be found any more.
		if n := bytes.Count(card.b[:size], []byte("EFI PART")); n != 2 {
			t.Errorf("%d: %d tables on the card", size, n)
		}
	}
}

// What waits in memory is bounded, or the progress would not be true, and the last of
// it is on the card at the end.
func TestSyncsInSteps(t *testing.T) {
	t.Parallel()
	disk := append(plainImage(t), random(150<<20-imageSize, 6)...)
	card := newFake(151 << 20)
	if _, err := Write(t.Context(), card, source(disk), silent); err != nil {
		t.Fatal(err)
	}
	if card.most != syncEach || card.waits != 0 {
		t.Errorf("%d bytes waited at most, and %d still do", card.most, card.waits)
	}
}

// fault is what a card does, and what is said of it.
type fault struct {
	name string
	card func() *fake
	left Left
	want string // pattern
}

func TestFaults(t *testing.T) {
	t.Parallel()
	disk := plainImage(t)
	const size = 40 << 20
	with := func(f func(*fake)) func() *fake {
		return func() *fake { c := newFake(size); f(c); return c }
	}
	// lying has so much room and says that it has more.
	lying := func(room, claims int64, f func(*fake)) func() *fake {
		return func() *fake { c := newFake(room); c.claims = claims; f(c); return c }
	}
	wraps, ends, loses := func(c *fake) { c.wraps = true }, func(c *fake) { c.ends = true }, func(*fake) {}
	for _, tt := range []fault{
		{"too small", func() *fake { return newFake(imageSize - sector) }, Untouched, `^the image has 13157888 bytes and the card 13157376`},
		{"no write at the beginning", with(func(c *fake) { c.writeEIO = 0 }), Unsure, `^writing 4194304 bytes at byte 0, of which it took 0: input/output error`},
		{"no write in the first block", with(func(c *fake) { c.writeEIO = 70000 }), Unsure, `^writing 4194304 bytes at byte 0, of which it took 70000: input/output error`},
		{"no write in the second block", with(func(c *fake) { c.writeEIO = Block }), Half, `^writing 4194304 bytes at byte 4194304, of which it took 0: input/output error`},
		{"no write in the middle", with(func(c *fake) { c.writeEIO = 2*Block + 12345 }), Half, `^writing 4194304 bytes at byte 8388608, of which it took 12345: input/output error`},
		{"no write at the last byte of the image", with(func(c *fake) { c.writeEIO = imageSize - 1 }), Half, `^writing 574976 bytes at byte 12582912, of which it took 574975: input/output error`},
		{"no write at the end of the card", with(func(c *fake) { c.writeEIO = size - 1 }), Half, `^the second partition table, at the end of the card: writing 16896 bytes at byte 41926144, of which it took 16895: input/output error`},
		{"a short write", with(func(c *fake) { c.takes = Block + 512 }), Half, `^writing 4194304 bytes at byte 4194304, of which it took 512: short write`},
		{"a short write that is no error", with(func(c *fake) { c.takes, c.silent = Block+512, true }), Half, `^writing 4194304 bytes at byte 4194304, of which it took 512: short write`},
		{"a short write of nothing", with(func(c *fake) { c.takes, c.silent = 0, true }), Unsure, `^writing 4194304 bytes at byte 0, of which it took 0: short write`},
		{"first sync", with(func(c *fake) { c.syncs = 0 }), Unsure, `^waiting until all is on the card: input/output error`},
		{"second sync", with(func(c *fake) { c.syncs = 1 }), Half, `^waiting until all is on the card: input/output error`},
		{"sync of the end", with(func(c *fake) { c.syncs = 2 }), Half, `^waiting until all is on the card: input/output error`},
		{"last sync", with(func(c *fake) { c.syncs = 3 }), Doubtful, `^waiting until all is on the card: input/output error`},
		{"a bit of the first byte", with(func(c *fake) { c.flips = 0 }), Differs, `^the card or its reader is damaged: the first difference is at byte 0;`},
		{"a bit in the middle", with(func(c *fake) { c.flips = 9999999 }), Differs, `^the card or its reader is damaged: the first difference is at byte 9999999;`},
		{"a bit at the end of the image", with(func(c *fake) { c.flips = imageSize - 1 }), Differs, `^the card or its reader is damaged: the first difference is at byte 13157887;`},
		{"no read in the middle", with(func(c *fake) { c.readEIO = 9999999 }), Differs, `^the card is damaged: reading 4194304 bytes at byte 8388608, of which it gave 0: input/output error;`},
		{"no read at the end", with(func(c *fake) { c.readEIO = size - 1 }), Differs, `^the card lies about its size: it says that it has 41943040 bytes, and its end cannot be read: .* input/output error;`},

		{"wraps within the image", lying(8<<20, size, wraps), Differs, `^the card lies about its size: byte \d+ has what was written to byte \d+, so there is room for 8388608 bytes at most, and it says that it has 41943040;`},
		{"wraps within the image, at an odd place", lying(7<<20+37*sector, size, wraps), Differs, `^the card lies about its size: byte \d+ has what was written to byte \d+, so there is room for 7358976 bytes at most,`},
		{"wraps behind the image", lying(20<<20, size, wraps), Differs, `^the card lies about its size: byte \d+ has what was written to byte \d+, so there is room for 20971520 bytes at most, and it says that it has 41943040;`},
		{"ends within the image", lying(8<<20, size, ends), Half, `^writing 4194304 bytes at byte 8388608, of which it took 0: input/output error`},
		{"ends behind the image", lying(20<<20, size, ends), Half, `^the second partition table, at the end of the card: writing 16896 bytes at byte 41926144`},
		{"loses what is behind the image", lying(20<<20, size, loses), Differs, `^the card lies about its size: it says that it has 41943040 bytes, and what was written at its end, to byte 41926144, is not there;`},
		{"loses the end of the image", lying(8<<20, size, loses), Differs, `^the card lies about its size: it says that it has 41943040 bytes, and from byte 8388608 on it has not what was written;`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			card := tt.card()
			_, err := Write(t.Context(), card, source(disk), silent)
			check(t, err, tt.left, tt.want)
			if tt.left == Half {
				card.doesNotBoot(t)
			}
			// A card without faults is the same as new after the next run.
			good := newFake(size)
			copy(good.b, card.b)
			if _, err := Write(t.Context(), good, source(disk), silent); err != nil {
				t.Error(err)
			}
		})
	}
}

func check(t *testing.T, err error, left Left, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if e.Left != left || !regexp.MustCompile(want).MatchString(err.Error()) || !strings.HasSuffix(err.Error(), "; "+string(left)) {
		t.Errorf("%s\nwant %s\nleft: %s, want %s", err, want, e.Left, left)
	}
}

// doesNotBoot makes sure of the word that is given: there is neither a partition
// table nor a BL2.
func (f *fake) doesNotBoot(t *testing.T) {
	t.Helper()
	if img, err := image.ReadAt(bytes.NewReader(f.b), int64(len(f.b))); err == nil && img.GPT.From == "primary" {
		t.Errorf("the card is said to be half written and has a table: %+v", img.GPT)
	}
	if f.writeEIO < 0 || f.writeEIO >= Block {
		if !bytes.Equal(f.b[:Block], make([]byte, Block)) {
			t.Error("the card is said not to boot, and its first block is not empty")
		}
	}
}

// What a card had before, behind the image, is no lie: here another copy of it.
func TestOldCopy(t *testing.T) {
	t.Parallel()
	disk := plainImage(t)
	card := newFake(40 << 20)
	copy(card.b[imageSize+5<<20:], disk[:12<<20])
	before := bytes.Clone(card.b[imageSize : 39<<20])
	if _, err := Write(t.Context(), card, source(disk), silent); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(before, card.b[imageSize:39<<20]) {
		t.Error("what was tried is still there")
	}
}

// Ctrl-C at every point where the card is touched.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	disk := plainImage(t)
	const size = 40 << 20
	before, after := newFake(size), newFake(size)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Write(ctx, before, source(disk), silent)
	check(t, err, Untouched, "^interrupted;")
	if !bytes.Equal(before.b, after.b) {
		t.Error("something was written")
	}
	seen := map[Left]int{}
	for writes := range 6 { // zeros, three blocks, the table at the end, the first block
		ctx, cancel := context.WithCancel(t.Context())
		card := newFake(size)
		card.writes, card.call = writes, cancel
		_, err := Write(ctx, card, source(disk), silent)
		left := Half
		if writes == 5 {
			left = Uncompared
		}
		check(t, err, left, "^interrupted;")
		if left == Half {
			card.doesNotBoot(t)
		}
		seen[left]++
	}
	for reads := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		card := newFake(size)
		card.reads, card.call = reads, cancel
		_, err := Write(ctx, card, source(disk), silent)
		check(t, err, Uncompared, "^interrupted;")
		seen[Uncompared]++
	}
	// The last read is the table at the end: all has been compared then.
	ctx, cancel = context.WithCancel(t.Context())
	card := newFake(size)
	card.reads, card.call = 4, cancel
	if _, err := Write(ctx, card, source(disk), silent); err != nil || ctx.Err() == nil {
		t.Error(err, ctx.Err())
	}
	if seen[Half] != 5 || seen[Uncompared] != 4 {
		t.Error(seen)
	}
}

// An image that is not the same any more, or cannot be read.
func TestChangingImage(t *testing.T) {
	t.Parallel()
	disk := plainImage(t)
	broken := func(at int64, err error) io.Reader {
		return io.MultiReader(bytes.NewReader(disk[:at]), errReader{err})
	}
	for _, tt := range []struct {
		name  string
		first io.Reader
		left  Left
		want  string
	}{
		{"empty", strings.NewReader(""), Untouched, "^reading the image: it is shorter than when it was looked at;"},
		{"cut off in the first block", bytes.NewReader(disk[:5000]), Untouched, "^reading the image: it is shorter than"},
		{"cut off", bytes.NewReader(disk[:3*Block-1]), Half, "^reading the image: it is shorter than"},
		{"cut off at its last byte", bytes.NewReader(disk[:imageSize-1]), Half, "^reading the image: it is shorter than"},
		{"longer", io.MultiReader(bytes.NewReader(disk), strings.NewReader("x")), Half, "^the image has grown since it was looked at;"},
		{"a bad disk", broken(2*Block, syscall.EIO), Half, "^reading the image: input/output error;"},
		{"a checksum at the end", broken(imageSize, errors.New("checksum")), Half, "^reading the image: checksum;"},
		{"no table", bytes.NewReader(make([]byte, imageSize)), Untouched, "^the image has no partition table at LBA 1;"},
		{"a bit of the header", flipped(disk, sector+60), Untouched, "^in the image, the first partition table is damaged: the header says CRC"},
		{"a bit of the entries", flipped(disk, 2*sector+60), Untouched, "^in the image, the first partition table is damaged: the header says CRC"},
		{"a field of the header", flipped(disk, sector+82), Untouched, "^in the image, the first partition table is damaged: the header says CRC"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := source(disk)
			open := src.Open
			src.Open = func() (io.ReadCloser, error) {
				if r := tt.first; r != nil {
					tt.first = nil
					return io.NopCloser(r), nil
				}
				return open()
			}
			card := newFake(40 << 20)
			_, err := Write(t.Context(), card, src, silent)
			check(t, err, tt.left, tt.want)
			if tt.left == Untouched && !bytes.Equal(card.b, newFake(40<<20).b) {
				t.Error("something was written")
			}
		})
	}
	src := source(disk)
	src.Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	_, err := Write(t.Context(), newFake(40<<20), src, silent)
	check(t, err, Untouched, "^gone;")
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func flipped(b []byte, at int) io.Reader {
	b = bytes.Clone(b)
	b[at] ^= 0x40
	return bytes.NewReader(b)
}
