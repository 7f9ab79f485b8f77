package flash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/nbr-dev/nbr/firmware/image"
)

// mostHead is how far into an image or a card the firmware may reach: six times as
// far as in nixos-sbc's images.
const mostHead = 64 << 20

// partitions are those that have firmware, in the order in which they are written.
// Either FIP goes with either BL2 better than a BL2 without any.
var partitions = []string{"fip", "bl2"}

// A Firmware is what a replacement writes: the contents of the partitions bl2 and fip
// of a card, old and new.
type Firmware struct {
	card   Target
	places []image.Partition // of the card, in the order of the list above
	old    [][]byte
	fresh  [][]byte
	// Backup is what a file has to hold from which the old firmware can be put back,
	// with this very command: the card's beginning, with nothing in it but the
	// partition table and these partitions.
	Backup []byte
}

// Parts are the numbers of the partitions that are written.
func (f *Firmware) Parts() []int {
	var out []int
	for _, p := range f.places {
		out = append(out, p.Number)
	}
	return out
}

// Same tells whether the card has this firmware already.
func (f *Firmware) Same() bool { return slices.EqualFunc(f.old, f.fresh, bytes.Equal) }

// BackupName is what a backup is called: after what is in it, so that no other is
// ever lost.
func BackupName(b []byte) string {
	return fmt.Sprintf("bl2-fip-%.6x.img", sha256.Sum256(b))
}

// NewFirmware makes sure that an image and a card are what they claim, and reads
// both. img is what image.Read has found in the image.
func NewFirmware(src Image, img *image.Image, card Target) (*Firmware, error) {
	if err := valid(img); err != nil {
		return nil, fmt.Errorf("the image: %w", err)
	}
	now, err := image.ReadAt(card, card.Size())
	if err != nil {
		return nil, fmt.Errorf("the card: %w", err)
	}
	if err := claims(now); err != nil {
		return nil, fmt.Errorf("the card: %w", err)
	}
	head, err := readHead(src, img)
	if err != nil {
		return nil, err
	}
	f := &Firmware{card: card}
	sizes := map[string]int64{"bl2": img.BL2.Size, "fip": img.FIP.Size}
	for _, name := range partitions {
		p, from := now.GPT.Named(name)[0], img.GPT.Named(name)[0]
		end := int64(p.First)*sector + p.Size()
		if end > min(mostHead, card.Size()) {
			return nil, fmt.Errorf("the card: partition %d (%s) ends at byte %d, behind all that firmware reaches to", p.Number, name, end)
		}
		if sizes[name] > p.Size() {
			return nil, fmt.Errorf("the image's %s has %d bytes, and the card's partition %d has %d", name, sizes[name], p.Number, p.Size())
		}
		old, fresh := make([]byte, p.Size()), make([]byte, p.Size())
		if err := get(card, old, int64(p.First)*sector); err != nil {
			return nil, fmt.Errorf("the card: %w", err)
		}
		copy(fresh, head[int64(from.First)*sector:][:sizes[name]])
		f.places, f.old, f.fresh = append(f.places, p), append(f.old, old), append(f.fresh, fresh)
	}
	return f, f.keep(now.GPT)
}

// valid refuses an image whose firmware is not whole.
func valid(img *image.Image) error {
	if err := claims(img); err != nil {
		return err
	}
	for _, w := range img.Wrong() {
		switch w.Code {
		case image.GPTBackupMissing, image.GPTBackupCRC, image.GPTBackupField, image.GPTBackupDiffers, image.GPTPrimaryField, image.GPTBounds, image.GPTCutOff, image.PartitionBoot:
			// Of a file from which the old firmware is put back only the beginning is there.
		default:
			return fmt.Errorf("%s: %s", w.What, w.Detail)
		}
	}
	return nil
}

// claims refuses what has not one bl2 partition with a BL2 for cards and one fip
// partition with a FIP. A BL2 that is damaged may be replaced.
func claims(img *image.Image) error {
	if img.Kind != image.KindDisk {
		return fmt.Errorf("it is a %s alone, without a partition table", img.Kind)
	}
	if img.GPT.From != "primary" {
		return errors.New("its first partition table is damaged or missing")
	}
	for _, name := range partitions {
		if n := len(img.GPT.Named(name)); n != 1 {
			return fmt.Errorf("%d partitions are called %s", n, name)
		}
	}
	for _, w := range img.Wrong(image.PartitionTwice, image.BL2Missing, image.BL2Medium, image.FIPMissing, image.GPTOverlap) {
		return fmt.Errorf("%s: %s", w.What, w.Detail)
	}
	if img.BL2 == nil || img.FIP == nil {
		return errors.New("its firmware is where it is not looked for")
	}
	return nil
}

// readHead reads the image up to the end of its firmware.
func readHead(src Image, img *image.Image) ([]byte, error) {
	var end int64
	for name, size := range map[string]int64{"bl2": img.BL2.Size, "fip": img.FIP.Size} {
		end = max(end, int64(img.GPT.Named(name)[0].First)*sector+size)
	}
	if end > mostHead || end > src.Size {
		return nil, fmt.Errorf("the image: its firmware ends at byte %d, behind all that firmware reaches to", end)
	}
	r, err := src.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, end)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("reading the image: %w", short(err))
	}
	return head, nil
}

// keep makes the backup.
func (f *Firmware) keep(g *image.GPT) error {
	var end int64
	for _, p := range f.places {
		end = max(end, int64(p.First)*sector+p.Size())
	}
	f.Backup = make([]byte, end)
	table := f.Backup[:min(end, int64(g.FirstUsable)*sector)]
	if err := get(f.card, table, 0); err != nil {
		return fmt.Errorf("the card: %w", err)
	}
	for i, p := range f.places {
		copy(f.Backup[int64(p.First)*sector:], f.old[i])
	}
	return nil
}

// Write puts the new firmware on the card, and the old one back when that fails or
// SIGINT. Once all is written it only compares, and does not let
// itself be interrupted. An error is an *Error.
func (f *Firmware) Write(ctx context.Context, progress Progress) error {
	if err := interrupted(ctx); err != nil {
		return &Error{Untouched, err}
	}
	err := f.write(ctx, f.fresh, progress)
	if err == nil {
		return nil
	}
	if back := f.write(context.WithoutCancel(ctx), f.old, func(Step, int64, int64) {}); back != nil {
		return &Error{Lost, fmt.Errorf("%w; putting the old firmware back failed, too: %w", err, back)}
	}
	return &Error{Restored, err}
}

// write writes and compares the contents of the partitions.
func (f *Firmware) write(ctx context.Context, contents [][]byte, progress Progress) error {
	var done, total int64
	for _, c := range contents {
		total += int64(len(c))
	}
	for i, p := range f.places {
		for at := 0; at < len(contents[i]); at += sampleEach {
			if err := interrupted(ctx); err != nil {
				return err
			}
			b := contents[i][at:min(at+sampleEach, len(contents[i]))]
			if err := put(f.card, b, int64(p.First)*sector+int64(at)); err != nil {
				return fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
			}
			done += int64(len(b))
			progress(Writing, done, total)
		}
		if err := sync(f.card); err != nil {
			return fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
		}
	}
	for i, p := range f.places {
		got := make([]byte, len(contents[i]))
		if err := get(f.card, got, int64(p.First)*sector); err != nil {
			return fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
		}
		if !bytes.Equal(got, contents[i]) {
			return fmt.Errorf("partition %d (%s) has not what was written: the first difference is at byte %d of the card",
				p.Number, p.Name, int64(p.First)*sector+int64(first(contents[i], got)))
		}
	}
	return nil
}
