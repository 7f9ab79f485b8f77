package image

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Unpack is what is inside of an image, whether it is compressed with zstd or not.
// It keeps as little memory busy as Read does.
func Unpack(r io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	if start, _ := br.Peek(len(zstdMagic)); string(start) != string(zstdMagic) {
		return io.NopCloser(br), nil // an error of Peek comes again
	}
	return unpack(br)
}

func unpack(br *bufio.Reader) (*unpacked, error) {
	z, err := zstd.NewReader(&runs{r: br}, zstd.WithDecoderMaxWindow(mostWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &unpacked{z: z}, nil
}

// unpacked is a decoder whose errors say what is wrong with the image.
type unpacked struct {
	z    *zstd.Decoder
	size int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	u.size += int64(n)
	return n, u.explain(err)
}

// WriteTo spares io.Copy a buffer.
func (u *unpacked) WriteTo(w io.Writer) (int64, error) {
	n, err := u.z.WriteTo(w)
	u.size += n
	return n, u.explain(err)
}

func (u *unpacked) Close() error {
	u.z.Close()
	return nil
}

func (u *unpacked) explain(err error) error {
	switch {
	case err == nil, err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed image is cut off: after %d bytes of what is inside there is no more of it", u.size)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("the compressed image wants more than %d MiB of memory to be read: compress it without --long and --ultra", mostWindow>>20)
	}
	return fmt.Errorf("the compressed image is damaged: %w", err)
}
