package flash

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
)

// An old card, and an image with new firmware.
func oldAndNew(t *testing.T) (old, fresh []byte) {
	t.Helper()
	root := random(4<<20, 9)
	old = makeImage(t, makeBL2(t, "sdmmc", 1), makeFIP(t, 500<<10, 1), root)
	copy(old[factoryAt:], random(1<<20, 7))
	fresh = makeImage(t, makeBL2(t, "sdmmc", 2), makeFIP(t, 700<<10, 2), random(4<<20, 8))
	return old, fresh
}

func cardOf(b []byte) *fake {
	f := newFake(int64(len(b)))
	copy(f.b, b)
	return f
}

func TestFirmware(t *testing.T) {
	t.Parallel()
	old, fresh := oldAndNew(t)
	card := cardOf(old)
	f, err := NewFirmware(source(fresh), inspect(t, fresh), card)
	if err != nil {
		t.Fatal(err)
	}
	if f.Same() || len(f.Parts()) != 2 {
		t.Error(f.Same(), f.Parts())
	}
	if err := f.Write(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	// Nothing else has changed, and what was longer before is gone.
	want := bytes.Clone(old)
	copy(want[bl2At:bl2At+bl2Room], fresh[bl2At:])
	copy(want[fipAt:fipAt+fipRoom], fresh[fipAt:])
	if !bytes.Equal(card.b, want) {
		t.Errorf("the first difference is at byte %d", first(card.b, want))
	}
	if again, err := NewFirmware(source(fresh), inspect(t, fresh), card); err != nil || !again.Same() {
		t.Error("not the same after it was written:", err)
	}
	// The backup is an image for this command.
	back, err := NewFirmware(source(f.Backup), inspect(t, f.Backup), card)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Write(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(card.b, old) {
		t.Errorf("the first difference is at byte %d", first(card.b, old))
	}
	if len(f.Backup) != fipAt+fipRoom || bytes.Contains(f.Backup, old[factoryAt:][:16]) {
		t.Errorf("the backup has %d bytes, or what is between the partitions", len(f.Backup))
	}
}

// Whatever goes wrong, the card has the one firmware or the other, or it is said that
// it has none.
func TestFirmwareFaults(t *testing.T) {
	t.Parallel()
	old, fresh := oldAndNew(t)
	for _, tt := range []struct {
		name string
		bad  func(*fake)
		left Left
		want string
	}{
		{"no write at the FIP", func(c *fake) { c.writeEIO = fipAt }, Lost, `^partition 4 \(fip\): writing 1048576 bytes at byte 6815744, of which it took 0: input/output error; putting the old firmware back failed, too: partition 4 \(fip\): writing`},
		{"no write in the FIP, once", func(c *fake) { c.writeEIO, c.heals = fipAt+600<<10, true }, Restored, `^partition 4 \(fip\): writing 1048576 bytes at byte 6815744, of which it took 614400: input/output error;`},
		{"no write in the BL2, once", func(c *fake) { c.writeEIO, c.heals = bl2At+90<<10, true }, Restored, `^partition 1 \(bl2\): writing 1048576 bytes at byte 17408, of which it took 92160: input/output error;`},
		{"a short write, once", func(c *fake) { c.takes, c.silent, c.heals = bl2At+512, true, true }, Restored, `^partition 1 \(bl2\): writing 1048576 bytes at byte 17408, of which it took 512: short write;`},
		{"no sync of the FIP", func(c *fake) { c.syncs = 0 }, Lost, `^partition 4 \(fip\): waiting until all is on the card: input/output error; putting the old firmware back failed, too: `},
		{"a bit is read wrong", func(c *fake) { c.flips = fipAt + 7 }, Lost, `^partition 4 \(fip\) has not what was written: the first difference is at byte 6815751 of the card; putting the old firmware back failed, too: `},
		{"interrupted in the FIP", func(c *fake) { c.writes = 0 }, Restored, "^interrupted;"},
		{"interrupted between the two", func(c *fake) { c.writes = 1 }, Restored, "^interrupted;"},
		{"interrupted in the BL2", func(c *fake) { c.writes = 4 }, Restored, "^interrupted;"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			card := cardOf(old)
			f, err := NewFirmware(source(fresh), inspect(t, fresh), card)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			card.call = cancel
			tt.bad(card)
			check(t, f.Write(ctx, silent), tt.left, tt.want)
			if tt.left == Restored && !bytes.Equal(card.b, old) {
				t.Errorf("the old firmware is said to be back, and byte %d differs", first(card.b, old))
			}
		})
	}
	// Once all is written it is too late to stop.
	card := cardOf(old)
	f, err := NewFirmware(source(fresh), inspect(t, fresh), card)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	card.writes, card.call = 5, cancel
	if err := f.Write(ctx, silent); err != nil || ctx.Err() == nil || !bytes.Equal(card.b[bl2At:][:bl2Room], fresh[bl2At:][:bl2Room]) {
		t.Error(err, ctx.Err())
	}
	check(t, f.Write(ctx, silent), Untouched, "^interrupted;")
}

// What is not what it claims is neither read from nor written to.
func TestFirmwareRefused(t *testing.T) {
	t.Parallel()
	old, fresh := oldAndNew(t)
	emmc := makeImage(t, makeBL2(t, "emmc", 1), makeFIP(t, 500<<10, 1), nil)
	zero := func(b []byte, at, n int) []byte { b = bytes.Clone(b); clear(b[at : at+n]); return b }
	other := func(b []byte, args ...string) []byte {
		file := write(t, b)
		run(t, "sgdisk", append(args, file)...)
		return read(t, file)
	}
	small := other(old, "-d", "4", "-n", "4:13312:13823", "-c", "4:fip")
	for _, tt := range []struct {
		name        string
		card, image []byte
		want        string
	}{
		{"an image for another medium", old, emmc, `^the image: the BL2 is for another medium: `},
		{"a card with a BL2 for another medium", emmc, fresh, `^the card: the BL2 is for another medium: `},
		{"an image with a damaged BL2", old, zero(fresh, bl2At+0x9000, 64), `^the image: the BL2 is damaged: `},
		{"an image without a BL2", old, zero(fresh, bl2At, bl2Room), `^the image: there is no BL2: `},
		{"an image without a FIP", old, zero(fresh, fipAt, 64), `^the image: there is no FIP: `},
		{"an image with half a FIP", old, zero(fresh, fipAt+400<<10, 600<<10), `^the image: the FIP is cut off: `},
		{"a card without a BL2", zero(old, bl2At, 512), fresh, `^the card: there is no BL2: `},
		{"a card without a FIP", zero(old, fipAt, 512), fresh, `^the card: there is no FIP: `},
		{"a card with a damaged first table", zero(old, sector, sector), fresh, `^the card: its first partition table is damaged or missing`},
		{"a card without a table", zero(old, 0, len(old)), fresh, `^the card: not an image: `},
		{"a card with another name", other(old, "-c", "4:fip-a"), fresh, `^the card: 0 partitions are called fip`},
		{"a card with two of a name", other(old, "-c", "3:fip"), fresh, `^the card: 2 partitions are called fip`},
		{"a card with a small partition", small, fresh, `^the image's fip has 757896 bytes, and the card's partition 4 has 262144`},
		{"a FIP alone", old, fresh[fipAt:][:fipRoom], `^the image: it is a fip alone, without a partition table`},
		{"no card at all", old[bl2At:][:bl2Room], fresh, `^the card: it is a bl2 alone, without a partition table`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			card := cardOf(tt.card)
			card.writeEIO = 0
			_, err := NewFirmware(source(tt.image), inspect(t, tt.image), card)
			if err == nil || !regexp.MustCompile(tt.want).MatchString(err.Error()) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
	// One that is damaged and in its place is what can be mended.
	card := cardOf(zero(zero(old, bl2At+0x9000, 64), fipAt+400<<10, 90<<10))
	f, err := NewFirmware(source(fresh), inspect(t, fresh), card)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(t.Context(), silent); err != nil {
		t.Error(err)
	}
	// An image that ends before its firmware, though it did not when it was looked at.
	cut := source(fresh)
	cut.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(fresh[:fipAt+9])), nil }
	if _, err := NewFirmware(cut, inspect(t, fresh), card); err == nil || !strings.Contains(err.Error(), "shorter than when it was looked at") {
		t.Error(err)
	}
	card.readEIO = fipAt + 1<<20
	if _, err := NewFirmware(source(fresh), inspect(t, fresh), card); err == nil || !strings.Contains(err.Error(), "the card: ") {
		t.Error(err)
	}
}
