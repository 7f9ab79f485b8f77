package inject

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// Silence on a link that became another one while it was asked says nothing.
func TestSilenceOnALinkThatChanges(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"link set wan mtu 1400\n", ""},
		{"link set wan address 02:00:00:00:00:77\n", "wan has changed while it was asked"},
		{"link set wan down\n", "wan is down: no answer could leave on it"},
		{"link del wan\n", "there is no link wan"},
		{"link del wan\nlink add wan type ifb\nlink set wan up\n", "wan has changed while it was asked"},
	} {
		t.Run(c.change, func(t *testing.T) {
			far := nstest.New(t, "far")
			nstest.Link(t, new(nstest.NS), "wan", far, "eth0")
			asked, err := openLink("wan")
			if err != nil {
				t.Fatal(err)
			}
			nstest.Run(t, c.change, "ip", "-batch", "-")
			got := ""
			if err := unchanged("wan", asked); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}
