//go:build guest

package guest_test

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
)

func TestGuestPasses(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil || lo.Flags&net.FlagUp == 0 {
		t.Errorf("lo: %v %v", lo, err)
	}
	modules, err := os.ReadFile("/proc/modules")
	if err != nil || !bytes.Contains(modules, []byte("8021q ")) {
		t.Errorf("%v %s", err, modules)
	}
	text, err := os.ReadFile("/etc/copy/inside_test.go")
	if err != nil || !strings.Contains(string(text), "TestGuestPasses") {
		t.Errorf("%v %s", err, text)
	}
	if os.Getpid() == 1 {
		t.Error("a test that crashes would take the machine with it")
	}
	t.Log("all is well in here")
}

func TestGuestFails(t *testing.T) {
	t.Run("inside", func(t *testing.T) { t.Error("two and two are not five") })
	t.Run("beside", func(t *testing.T) {})
}

func TestGuestSkips(t *testing.T) { t.Skip("not on a desk") }

func TestGuestPanics(t *testing.T) { panic("oh no") }

func TestGuestNeverRuns(t *testing.T) {}
