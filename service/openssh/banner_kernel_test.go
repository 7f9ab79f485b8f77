package openssh

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// serve answers each connection with a text and, unless it is the end, waits.
func serve(t *testing.T, text string, end bool) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(text))
			if end {
				_ = c.Close()
			} else {
				context.AfterFunc(ctx, func() { _ = c.Close() })
			}
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestBanners(t *testing.T) {
	nstest.Require(t)
	want := map[netip.AddrPort]probetest.Answer[banner]{
		serve(t, "SSH-2.0-OpenSSH_9.9\r\nnoise", false): {Answer: banner{Connected: true, Line: "SSH-2.0-OpenSSH_9.9"}},
		serve(t, "220 no end", false):                   {Answer: banner{Connected: true, Line: "220 no end"}},
		serve(t, "no end", true):                        {Answer: banner{Connected: true, Line: "no end"}},
		serve(t, "", false):                             {Answer: banner{Connected: true}},
		serve(t, "", true):                              {Answer: banner{Connected: true}},
		serve(t, "\x1b]0;\"Ä\\\xff\x00\n", false):       {Answer: banner{Connected: true, Line: `\x1b]0;"Ä\\\xff\x00`}},
		serve(t, strings.Repeat("x", 1<<20), false):     {Answer: banner{Connected: true, Line: strings.Repeat("x", 255)}},
		netip.MustParseAddrPort("127.0.0.1:1"):          {},
		netip.MustParseAddrPort("192.0.2.1:22"):         {Error: "dial tcp 192.0.2.1:22: no address of this machine"},
	}
	if d := cmp.Diff(want, probetest.Ask(t, bannerOf, slices.Collect(maps.Keys(want))...), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

func TestBannerOfSSHD(t *testing.T) {
	conf := "ListenAddress 127.0.0.1:22\nHostKey /etc/ssh/ssh_host_ed25519_key\nUsePAM no\n"
	root := lab.Rootfs(t, lab.Files{"/etc/ssh/sshd_config": conf, "/run/sshd/": ""})
	sshd := root.Daemon(t, new(nstest.NS), "/usr/sbin/sshd", "-D", "-e")
	sshd.Ready(t, func() error {
		if !strings.Contains(sshd.Log(), "Server listening") {
			return errors.New("it does not listen")
		}
		return nil
	})
	q := netip.MustParseAddrPort("127.0.0.1:22")
	if b := probetest.Ask(t, bannerOf, q)[q].Answer; !b.Connected || !strings.HasPrefix(b.Line, "SSH-2.0-OpenSSH_") {
		t.Errorf("%+v", b)
	}
	sshd.Stop(t)
	if b := probetest.Ask(t, bannerOf, q)[q]; b != (probetest.Answer[banner]{}) {
		t.Errorf("stopped: %+v", b)
	}
}

// Questions that get lost do not take for ever.
func TestBannersThatGetLost(t *testing.T) {
	var asked []netip.AddrPort
	for _, a := range probetest.Lost(t, 10) {
		asked = append(asked, netip.AddrPortFrom(a, 22))
	}
	// See TestQuestionsThatGetLost of the resolver.
	nstest.Wait(t, func() error {
		for q, b := range probetest.Ask(t, bannerOf, asked...) {
			if b != (probetest.Answer[banner]{}) {
				return fmt.Errorf("%s: %+v", q, b)
			}
		}
		return nil
	})
}

// A server that has no room for a connection, does not accept it, or gets no processor is
// not taken for silent: nothing is known of it.
func TestBannerOfStarvedServers(t *testing.T) {
	nstest.NeverAccept(t, "127.0.0.1:8022", true)
	nstest.NeverAccept(t, "127.0.0.1:8023", false)
	full, waits := netip.MustParseAddrPort("127.0.0.1:8022"), netip.MustParseAddrPort("127.0.0.1:8023")
	want := map[netip.AddrPort]probetest.Answer[banner]{
		full:  {Error: "dial tcp: tcp/8022 has not answered yet: its connections wait to be accepted"},
		waits: {Error: "read tcp: tcp/8023 has not answered yet: the connection waits to be accepted"},
	}
	if d := cmp.Diff(want, probetest.Ask(t, bannerOf, full, waits), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Error(d)
	}
}
