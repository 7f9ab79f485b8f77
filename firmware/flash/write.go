package flash

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/nbr-dev/nbr/firmware/image"
)

// An Image is what is to be written. It is read twice: to write it, and to compare
// the card with it.
type Image struct {
	Open func() (io.ReadCloser, error) // what is inside, if it is compressed
	Size int64
}

// Result is what was done.
type Result struct {
	Written int64
	Moved   bool // the second partition table, to the end of the card
}

type job struct {
	Target
	image    Image
	progress Progress
	patches  []image.Patch
	samples  samples
}

// Write writes an image to a card and compares all of it. The first block, without
// which no board starts, is zeros until all else is there: a card that is half
// written does not boot. An error is an *Error.
func Write(ctx context.Context, t Target, img Image, progress Progress) (*Result, error) {
	j := &job{Target: t, image: img, progress: progress, samples: samples{}}
	if err := j.write(ctx); err != nil {
		return nil, err
	}
	if err := j.compare(ctx); err != nil {
		return nil, err
	}
	return &Result{img.Size, len(j.patches) > 0}, nil
}

func (j *job) write(ctx context.Context) error {
	if j.image.Size > j.Size() {
		return &Error{Untouched, fmt.Errorf("the image has %d bytes and the card %d", j.image.Size, j.Size())}
	}
	r, err := j.image.Open()
	if err != nil {
		return &Error{Untouched, err}
	}
	defer r.Close()
	first := make([]byte, min(Block, j.image.Size))
	if _, err := io.ReadFull(r, first); err != nil {
		return &Error{Untouched, fmt.Errorf("reading the image: %w", short(err))}
	}
	if j.patches, err = image.MoveBackup(first, j.Size()); err != nil {
		return &Error{Untouched, err}
	}
	if err := interrupted(ctx); err != nil {
		return &Error{Untouched, err}
	}
	overlay(j.patches, first, 0)
	j.samples.add(first, 0)
	if err := j.flush(make([]byte, len(first)), 0); err != nil {
		return &Error{Unsure, err}
	}
	for _, step := range []func() error{
		func() error { return j.body(ctx, r) },
		j.end,
		func() error { return interrupted(ctx) },
	} {
		if err := step(); err != nil {
			return &Error{Half, err}
		}
	}
	if err := j.flush(first, 0); err != nil {
		return &Error{Doubtful, err}
	}
	j.progress(Writing, j.image.Size, j.image.Size)
	return nil
}

// flush writes something that has to be on the card before what follows.
func (j *job) flush(b []byte, at int64) error {
	if err := put(j, b, at); err != nil {
		return err
	}
	return sync(j)
}

// body writes all blocks but the first.
func (j *job) body(ctx context.Context, r io.Reader) error {
	b := make([]byte, Block)
	for at := int64(Block); at < j.image.Size; at += int64(len(b)) {
		if err := interrupted(ctx); err != nil {
			return err
		}
		b = b[:min(Block, j.image.Size-at)]
		if _, err := io.ReadFull(r, b); err != nil {
			return fmt.Errorf("reading the image: %w", short(err))
		}
		overlay(j.patches, b, at)
		j.samples.add(b, at)
		if err := put(j, b, at); err != nil {
			return err
		}
		if (at+int64(len(b)))%syncEach == 0 {
			if err := sync(j); err != nil {
				return err
			}
		}
		j.progress(Writing, at, j.image.Size) // the first block is still to come
	}
	// A checksum at the end of a compressed image is read only now.
	if n, err := r.Read(make([]byte, 1)); n > 0 {
		return errors.New("the image has grown since it was looked at")
	} else if err != nil && err != io.EOF {
		return fmt.Errorf("reading the image: %w", err)
	}
	return sync(j)
}

// end writes the parts of patches that are behind the image.
func (j *job) end() error {
	for _, p := range j.beyond() {
		j.samples.add(p.Bytes, p.At)
		if err := put(j, p.Bytes, p.At); err != nil {
			return fmt.Errorf("the second partition table, at the end of the card: %w", err)
		}
	}
	return sync(j)
}

func (j *job) beyond() []image.Patch {
	var out []image.Patch
	for _, p := range j.patches {
		if from := max(p.At, j.image.Size); from < p.At+int64(len(p.Bytes)) {
			out = append(out, image.Patch{At: from, Bytes: p.Bytes[from-p.At:]})
		}
	}
	return out
}

// overlay puts the patches over b, which lies at a byte of the card. Later ones go over
// earlier ones.
func overlay(ps []image.Patch, b []byte, at int64) {
	for _, p := range ps {
		from, to := max(p.At, at), min(p.At+int64(len(p.Bytes)), at+int64(len(b)))
		if from < to {
			copy(b[from-at:to-at], p.Bytes[from-p.At:])
		}
	}
}

func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is shorter than when it was looked at")
	}
	return err
}
