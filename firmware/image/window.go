package image

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	sector = 512
	// headSize reaches to the end of a fip partition of 4 MiB, as OpenWrt has it, that
	// begins at the same place as the 2 MiB one of nixos-sbc's images for MediaTek
	// (modules/boards/bananapi/bpir4/sd-image-mt7988.nix). All firmware is below it.
	headSize = 13312*sector + 4<<20
	// tailSize holds the second GPT and the sectors behind the last partition.
	tailSize = 64 << 10
)

// A window is what is kept of an image, and where the rest can be had, if anywhere.
type window struct {
	head []byte
	tail []byte // the last bytes, also those that head has
	size int64
	rest io.ReaderAt // nil of a stream
}

// errNotKept is of bytes that the image has and that were not kept.
var errNotKept = errors.New("not kept while the image was read")

// Write takes the next bytes of a stream.
func (h *window) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	if n := min(headSize-len(h.head), len(p)); n > 0 {
		if len(h.head)+n > tailSize && cap(h.head) < headSize {
			h.head = slices.Grow(h.head, headSize-len(h.head)) // once, and not for a small file
		}
		h.head = append(h.head, p[:n]...)
	}
	if over := len(h.tail) + len(p) - tailSize; over > 0 {
		h.tail = h.tail[:copy(h.tail, h.tail[min(over, len(h.tail)):])]
	}
	h.tail = append(h.tail, p[max(0, len(p)-tailSize):]...)
	return len(p), nil
}

// stream keeps what is to be kept of a reader.
func stream(r io.Reader) (*window, error) {
	h := &window{}
	_, err := io.Copy(h, r)
	return h, err
}

// random keeps the same of something that can be read anywhere.
func random(r io.ReaderAt, size int64) (*window, error) {
	h := &window{size: size, rest: r}
	h.head = make([]byte, min(size, headSize))
	h.tail = make([]byte, min(size, tailSize))
	if err := readAt(r, h.head, 0); err != nil {
		return nil, err
	}
	return h, readAt(r, h.tail, size-int64(len(h.tail)))
}

func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at byte %d: %w", len(b), off, err)
}

// at are n bytes of the image. The caller bounds n: it may be read from the medium.
func (h *window) at(off, n int64) ([]byte, error) {
	tail := h.size - int64(len(h.tail))
	switch {
	case off < 0 || n < 0 || off > h.size || n > h.size-off:
		return nil, fmt.Errorf("the image has %d bytes and ends before byte %d", h.size, uint64(off)+uint64(n))
	case off+n <= int64(len(h.head)):
		return h.head[off : off+n], nil
	case off >= tail:
		return h.tail[off-tail : off-tail+n], nil
	case h.rest != nil:
		b := make([]byte, n)
		return b, readAt(h.rest, b, off)
	}
	return nil, errNotKept
}

// from are the bytes from off on, up to n, as many as there are and were kept.
func (h *window) from(off, n int64) []byte {
	if off < 0 || off >= h.size {
		return nil
	}
	n = min(n, h.size-off)
	if h.rest == nil && off < int64(len(h.head)) {
		n = min(n, int64(len(h.head))-off)
	}
	b, err := h.at(off, n)
	if err != nil {
		return nil
	}
	return b
}

// lost tells whether a byte is in the image and was not kept.
func (h *window) lost(off int64) bool {
	_, err := h.at(off, 1)
	return errors.Is(err, errNotKept)
}
