package flash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

// samples are sectors that were written and where: one in each MiB, and all of the
// second partition table. A card that claims more room than it has puts what goes
// beyond its end somewhere else, and there they are found again.
type samples map[[sha256.Size]byte]int64

const sampleEach = 1 << 20

func (s samples) add(b []byte, at int64) {
	for len(b) > 0 {
		part := b[:min(sampleEach, len(b))]
		for i := 0; i+sector <= len(part); i += sector {
			if one := part[i : i+sector]; !constant(one) {
				s.note(one, at+int64(i))
				break
			}
		}
		b, at = b[len(part):], at+int64(len(part))
	}
}

// note forgets sectors that are written twice: those tell nothing.
func (s samples) note(one []byte, at int64) {
	key := sha256.Sum256(one)
	if old, ok := s[key]; ok && old != at {
		at = -1
	}
	s[key] = at
}

func constant(b []byte) bool { return bytes.Count(b, b[:1]) == len(b) }

// An echo is a sector that is found where it was not written, in front of its place.
type echo struct{ is, was int64 }

// moved looks for echoes in what was read, and takes the one that is nearest to its
// place: a card that begins anew several times has farther ones, too.
func (s samples) moved(want, got []byte, at int64) (echo, bool) {
	var near echo
	for i := 0; i+sector <= len(got); i += sector {
		one := got[i : i+sector]
		if constant(one) || bytes.Equal(one, want[i:i+sector]) {
			continue
		}
		e := echo{is: at + int64(i)}
		var ok bool
		if e.was, ok = s[sha256.Sum256(one)]; ok && e.was > e.is && (near.was == 0 || e.was-e.is < near.was-near.is) {
			near = e
		}
	}
	return near, near.was > 0
}

// lookOn is how much is read after the first difference, to find out its cause.
const lookOn = 64 * Block

// A difference is where a card has not what was written.
type difference struct {
	at int64 // the first byte, or -1
	is error // reading failed there
}

// compare reads the card from its beginning to its end.
func (j *job) compare(ctx context.Context) error {
	r, err := j.image.Open()
	if err != nil {
		return &Error{Uncompared, err}
	}
	defer r.Close()
	diff := difference{at: -1}
	want, got := make([]byte, Block), make([]byte, Block)
	for at := int64(0); at < j.image.Size; at += Block {
		if err := interrupted(ctx); err != nil {
			if diff.at >= 0 {
				break
			}
			return &Error{Uncompared, err}
		}
		n := min(Block, j.image.Size-at)
		if _, err := io.ReadFull(r, want[:n]); err != nil {
			return &Error{Uncompared, fmt.Errorf("reading the image: %w", short(err))}
		}
		overlay(j.patches, want[:n], at)
		if err := j.part(want[:n], got[:n], at, &diff); err != nil {
			return &Error{Differs, err}
		}
		if diff.at >= 0 && at > diff.at+lookOn {
			break
		}
		j.progress(Comparing, at+n, j.image.Size)
	}
	if err := j.compareEnd(&diff); err != nil {
		return &Error{Differs, err}
	}
	if err := j.echoes(ctx); err != nil {
		return &Error{Differs, err}
	}
	return nil
}

// part compares one part, and returns an error when the cause of a difference is
// found.
func (j *job) part(want, got []byte, at int64, diff *difference) error {
	if err := get(j, got, at); err != nil {
		if diff.at < 0 {
			*diff = difference{at, err}
		}
		return nil
	}
	if bytes.Equal(want, got) {
		return nil
	}
	if diff.at < 0 {
		diff.at = at + int64(first(want, got))
	}
	if e, ok := j.samples.moved(want, got, at); ok {
		return j.lies(e)
	}
	return nil
}

func (j *job) lies(e echo) error {
	return fmt.Errorf("the card lies about its size: byte %d has what was written to byte %d, so there is room for %d bytes at most, and it says that it has %d",
		e.is, e.was, max(e.was-e.is, e.is-e.was), j.Size())
}

// compareEnd compares what is behind the image, and says what is wrong with the card.
func (j *job) compareEnd(diff *difference) error {
	end := difference{at: -1}
	for _, p := range j.beyond() {
		if err := j.part(p.Bytes, make([]byte, len(p.Bytes)), p.At, &end); err != nil {
			return err
		}
	}
	switch {
	case end.is != nil:
		return fmt.Errorf("the card lies about its size: it says that it has %d bytes, and its end cannot be read: %w", j.Size(), end.is)
	case end.at >= 0 && diff.at >= 0:
		return fmt.Errorf("the card lies about its size: it says that it has %d bytes, and from byte %d on it has not what was written", j.Size(), diff.at)
	case end.at >= 0:
		return fmt.Errorf("the card lies about its size: it says that it has %d bytes, and what was written at its end, to byte %d, is not there", j.Size(), end.at)
	case diff.is != nil:
		return fmt.Errorf("the card is damaged: %w", diff.is)
	case diff.at >= 0:
		return fmt.Errorf("the card or its reader is damaged: the first difference is at byte %d", diff.at)
	}
	return nil
}

const (
	mostProbes = 64
	probeSize  = 2 * sampleEach // has a sample, unless the image is empty there
)

// echoes looks behind the image for parts of it: a card that begins anew where it
// really ends shows them there. Places that are less far from each other than the
// image is long find it, and not many are needed.
func (j *job) echoes(ctx context.Context) error {
	step := max(j.image.Size/2, (j.Size()-j.image.Size)/mostProbes, probeSize)
	b := make([]byte, probeSize)
	for at := j.image.Size; at+probeSize <= j.Size() && ctx.Err() == nil; at += step {
		if err := get(j, b, at); err != nil {
			return fmt.Errorf("the card is damaged: %w", err)
		}
		for i := 0; i < len(b); i += sector {
			was, ok := j.samples[sha256.Sum256(b[i:i+sector])]
			if !ok || was < 0 || was >= j.image.Size {
				continue
			}
			if err := j.echo(echo{at + int64(i), was}, b[i:i+sector]); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// echo makes sure of one: the card may have had the same before. What is changed in
// the one place has to change in the other.
func (j *job) echo(e echo, b []byte) error {
	mark := bytes.Clone(b)
	for i := range mark {
		mark[i] ^= 0xff
	}
	if err := put(j, mark, e.is); err != nil {
		return err
	}
	if err := sync(j); err != nil {
		return err
	}
	got := make([]byte, len(b))
	if err := get(j, got, e.was); err != nil {
		return err
	}
	if !bytes.Equal(got, b) {
		return j.lies(e)
	}
	return put(j, b, e.is)
}

// first is the index of the first byte that differs.
func first(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}
