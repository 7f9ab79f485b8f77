// Package guest_test is what TestBadGuests of package lab runs: tests that fail, in a guest.
package guest_test

import (
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

func TestBench(t *testing.T) {
	lab.Guest{
		Arch:    lab.AMD64,
		Modules: []string{"8021q", "virtio_console"},
		Copy:    map[string]string{"/etc/copy": "."},
	}.Test(t)
}

func TestTooLate(t *testing.T) { lab.Guest{Arch: lab.AMD64, Timeout: time.Second}.Test(t) }

func TestNoSuchModule(t *testing.T) {
	lab.Guest{Arch: lab.AMD64, Modules: []string{"no_such_module"}}.Test(t)
}
