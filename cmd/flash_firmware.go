package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nbr-dev/nbr/firmware/flash"
)

// firmware writes two partitions of a card.
func (f *flashing) firmware(ctx context.Context) error {
	// Its other partitions may be in use. Which those are that are written is not known yet.
	card, err := flash.Open(f.device, flash.Need{Force: f.force, Parts: []int{0}})
	if err != nil {
		return err
	}
	defer card.Close()
	fw, err := flash.NewFirmware(f.src, f.img, card)
	if err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	if err := f.device.Refuse(flash.Need{Force: f.force, Parts: fw.Parts()}); err != nil {
		return err
	}
	if fw.Same() {
		fmt.Fprintf(f.Stdout, "%s has this firmware already; nothing was written\n", f.device.Path)
		return nil
	}
	if err := f.ask(ctx, card, fmt.Sprintf("Write the bl2 and the fip of %s to %s? The other partitions stay as they are.", f.file, f.device.Path)); err != nil {
		return err
	}
	if err := card.Claim(fw.Parts()); err != nil {
		return fmt.Errorf("%w; nothing was written", err)
	}
	kept, err := keep(fw.Backup)
	if err != nil {
		return fmt.Errorf("saving the old firmware: %w; nothing was written", err)
	}
	fmt.Fprintf(f.Stdout, "the old firmware is in %s: nbr flash -firmware-only %[1]s %s brings it back\n", kept, f.device.Path)
	defer f.hold(ctx)()
	show, done := f.progress()
	err = fw.Write(ctx, show)
	done()
	var bad *flash.Error
	if errors.As(err, &bad) && bad.Left == flash.Lost {
		return fmt.Errorf("%w; the old firmware is in %s", err, kept)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(f.Stdout, "%s has the new firmware, written and compared\n", f.device.Path)
	return nil
}

// keep writes the old firmware to a file that is called after what is in it. One that
// is there already has to be the same.
func keep(b []byte) (string, error) {
	name := flash.BackupName(b)
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		old, err := os.ReadFile(name)
		if err == nil && !bytes.Equal(old, b) {
			err = fmt.Errorf("%s is there and has something else in it: move it away", name)
		}
		return name, err
	} else if err != nil {
		return "", err
	}
	_, err = out.Write(b)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(name))
	}
	return name, nil
}
