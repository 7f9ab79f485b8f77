package host_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/nbr-dev/nbr/verify/observe/host"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A server that never answers does not hold up a probe that sets no deadline.
func TestDialEnds(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := host.New(t.Context(), root.Root("/"), true).Dial(t.Context(), "unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if n, err := c.Read(make([]byte, 1)); err == nil || !probe.Silent(err) {
		t.Errorf("%d bytes, %v: want silence", n, err)
	}
}
