package flash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
)

const (
	sector = 512
	// Block is how much is written and read at once. The first block holds what every
	// board starts from: partition table and BL2, or idbloader.
	Block = 4 << 20
	// syncEach is how much may wait in memory. Without a limit all of an image would
	// seem to be written at once, and the last step would take minutes.
	syncEach = 64 << 20
)

// A Target is a card, or a file that stands for one.
type Target interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when all that was written is on the medium. What is read next
	// comes from there and not from memory.
	Sync() error
	Size() int64
}

// A Step is a part of the work, for who shows how far it is.
type Step string

// The steps.
const (
	Writing   Step = "writing"
	Comparing Step = "comparing"
)

// Progress is told of each step how many bytes of how many are done.
type Progress func(step Step, done, total int64)

// Left is how a card is left.
type Left string

// The states of a card.
const (
	Untouched  Left = "nothing was written"
	Unsure     Left = "whether what was on the card is still there is not known: run the command again"
	Half       Left = "the card is half written and will not boot: run the command again"
	Doubtful   Left = "whether the beginning of the card, which is written last, is whole is not known: run the command again"
	Uncompared Left = "the card is written and was not compared to its end: run the command again"
	Differs    Left = "the card has not what was written to it: do not use it"
	Restored   Left = "the old firmware is back on the card"
	Lost       Left = "the card has neither the old firmware nor the new one and will not boot"
	Partly     Left = "the image is on the card, and not all of the files are: run the command again"
)

// An Error is why something was not done, and how the card is left.
type Error struct {
	Left Left
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() + "; " + string(e.Left) }

func (e *Error) Unwrap() error { return e.Err }

// ErrInterrupted says that SIGINT came.
var ErrInterrupted = errors.New("interrupted")

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return nil
}

// put writes all of b, and says where it could not.
func put(t Target, b []byte, at int64) error {
	n, err := t.WriteAt(b, at)
	switch {
	case err == nil && n == len(b):
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("there is no room at byte %d, and it says that it has %d bytes", at+int64(n), t.Size())
	case err == nil:
		err = io.ErrShortWrite
	}
	return fmt.Errorf("writing %d bytes at byte %d, of which it took %d: %w", len(b), at, n, err)
}

// get reads all of b.
func get(t Target, b []byte, at int64) error {
	n, err := t.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at byte %d, of which it gave %d: %w", len(b), at, max(n, 0), err)
}

func sync(t Target) error {
	if err := t.Sync(); err != nil {
		return fmt.Errorf("waiting until all is on the card: %w", err)
	}
	return nil
}
