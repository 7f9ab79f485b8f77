package system

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/root"
)

func TestMain(m *testing.M) { nstest.Main(m) }

func TestNameServers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"several", map[string]string{"etc/resolv.conf": "# made by resolvconf\nsearch lan\nnameserver 127.0.0.1\nnameserver ::1 # no\noptions edns0\n#nameserver 192.0.2.1\n"}, []string{"127.0.0.1", "::1"}},
		{"none", map[string]string{"etc/resolv.conf": "nameserver\n"}, []string{}},
		{"no file", nil, []string{}},
	} {
		got, err := NameServers(root.Root(looktest.Folder(t, tt.files)))
		if d := cmp.Diff(tt.want, got); d != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s%v", tt.name, d, err)
		}
	}
	dir := looktest.Folder(t, map[string]string{"etc/resolv.conf/x": ""})
	if got, err := NameServers(root.Root(dir)); got != nil || err == nil {
		t.Errorf("a folder is read as %v, %v", got, err)
	}
}

func TestSysctls(t *testing.T) {
	nstest.Require(t)
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"net.ipv4.ip_forward": "1", "net.ipv4.ip_local_port_range": "32768 60999"} {
		if got, err := Sysctl("", name); got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := Sysctl("", "net.ipv4.no_such"); !errors.Is(err, root.ErrNotThere) {
		t.Errorf("none of that name: %v", err)
	}
	// Written only: root may not read it either.
	if got, err := Sysctl("", "net.ipv4.route.flush"); err == nil || errors.Is(err, root.ErrNotThere) {
		t.Errorf("net.ipv4.route.flush is %q, %v", got, err)
	}
}

func TestClock(t *testing.T) {
	var tx unix.Timex
	now, err := unix.Adjtimex(&tx)
	if err != nil {
		t.Fatal(err)
	}
	if clock, err := Clock(); err != nil || clock.Synchronised == (now == unix.TIME_ERROR) {
		t.Errorf("%+v, %v, and adjtimex(2) returns %d", clock, err, now)
	}
}
