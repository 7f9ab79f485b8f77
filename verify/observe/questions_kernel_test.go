package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/beevik/ntp"
	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// unboundConf serves all addresses. An answer about big.test does not fit into a
// datagram.
const unboundConf = `server:
  interface: 0.0.0.0
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "/tmp"
  pidfile: ""
  use-syslog: no
  do-ip6: no
  module-config: "iterator"
  local-zone: "." static
  local-data: ". SOA a.example. b.example. 1 2 3 4 5"
  local-data: "router.home.arpa. A 192.0.2.1"
  local-data: "router.home.arpa. A 192.0.2.2"
  local-zone: "refused.test." always_refuse
`

func startUnbound(t *testing.T) *lab.Daemon {
	t.Helper()
	conf := unboundConf
	for i := range 10 {
		conf += fmt.Sprintf("  local-data: 'big.test. TXT \"%d%s\"'\n", i, strings.Repeat("x", 200))
	}
	root := lab.Rootfs(t, lab.Files{"/etc/unbound/lab.conf": conf})
	unbound := root.Daemon(t, new(nstest.NS), "unbound", "-d", "-c", "/etc/unbound/lab.conf")
	unbound.Ready(t, func() error {
		c, err := net.Dial("tcp", "127.0.0.1:53")
		if err == nil {
			err = c.Close()
		}
		return err
	})
	return unbound
}

func startChrony(t *testing.T, source string) *lab.Daemon {
	t.Helper()
	root := lab.Rootfs(t, lab.Files{"/etc/chrony.conf": source + "\nallow\ncmdport 0\n", "/run/chrony/": ""})
	chrony := root.Daemon(t, new(nstest.NS), "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
	chrony.Ready(t, func() error {
		_, err := ntp.Query("127.0.0.1")
		return err
	})
	return chrony
}

func TestAnswersOfUnbound(t *testing.T) {
	unbound := startUnbound(t)
	want := map[string]state.Answer{
		"127.0.0.1 . SOA":               {Answered: true, Code: "NOERROR", Records: 1},
		"127.0.0.1 router.home.arpa A":  {Answered: true, Code: "NOERROR", Records: 2},
		"127.0.0.1 ROUTER.home.arpa. A": {Answered: true, Code: "NOERROR", Records: 2},
		"127.0.0.1 other.home.arpa. A":  {Answered: true, Code: "NXDOMAIN"},
		"127.0.0.1 www.refused.test. A": {Answered: true, Code: "REFUSED"},
		"127.0.0.1 big.test. TXT":       {Answered: true, Code: "NOERROR", Records: 10},
		"::1 . SOA":                     {}, // it has no IPv6
		"192.0.2.1 . SOA":               {Error: "dial udp 192.0.2.1:53: no address of this machine"},
		"127.0.0.1 . NONSENSE":          {Error: `"NONSENSE" is no type of a DNS record`},
		"router . SOA":                  {Error: `"router" is no address of a DNS server`},
		"127.0.0.1:53 . SOA":            {Error: `"127.0.0.1:53" is no address of a DNS server`},
		"127.0.0.1 a..b A":              {Error: `"a..b" is no domain name`},
		"127.0.0.1  SOA":                {Error: `"" is no domain name`},
		"127.0.0.1 .":                   {Error: "not a DNS server, a name and a type"},
	}
	var names []string
	for n := range want {
		names = append(names, n)
	}
	if d := cmp.Diff(want, asked(t, state.NeedAnswer, names...).Answers); d != "" {
		t.Error(d)
	}
	unbound.Stop(t)
	if d := cmp.Diff(map[string]state.Answer{"127.0.0.1 . SOA": {}}, asked(t, state.NeedAnswer, "127.0.0.1 . SOA").Answers); d != "" {
		t.Errorf("stopped: %s", d)
	}
	// A port that is closed is not waited for: the kernel says that it is.
	_, query, err := parseQuery("127.0.0.1 . SOA")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := query.Pack()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = new(looker).lookUpUDP(t.Context(), "127.0.0.1:53", time.Now().Add(nstest.Patience), query, packed)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("stopped: %v", err)
	}
}

// serve answers each connection with a text and, unless it is the end, waits.
func serve(t *testing.T, text string, end bool) string {
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
	return l.Addr().String()
}

func TestBanners(t *testing.T) {
	nstest.Require(t)
	want := map[string]state.Banner{
		serve(t, "SSH-2.0-OpenSSH_9.9\r\nnoise", false): {Connected: true, Line: "SSH-2.0-OpenSSH_9.9"},
		serve(t, "220 no end", false):                   {Connected: true, Line: "220 no end"},
		serve(t, "no end", true):                        {Connected: true, Line: "no end"},
		serve(t, "", false):                             {Connected: true},
		serve(t, "", true):                              {Connected: true},
		serve(t, "\x1b]0;\"Ä\\\xff\x00\n", false):       {Connected: true, Line: `\x1b]0;"Ä\\\xff\x00`},
		serve(t, strings.Repeat("x", 1<<20), false):     {Connected: true, Line: strings.Repeat("x", 255)},
		"127.0.0.1:1":                                   {},
		"192.0.2.1:22":                                  {Error: "dial tcp 192.0.2.1:22: no address of this machine"},
		"router:22":                                     {Error: "not an address and a port"},
		"127.0.0.1":                                     {Error: "not an address and a port"},
		"127.0.0.1:0":                                   {Error: "not an address and a port"},
	}
	var names []string
	for n := range want {
		names = append(names, n)
	}
	if d := cmp.Diff(want, asked(t, state.NeedBanner, names...).Banners); d != "" {
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
	if b := asked(t, state.NeedBanner, "127.0.0.1:22").Banners["127.0.0.1:22"]; !b.Connected || !strings.HasPrefix(b.Line, "SSH-2.0-OpenSSH_") {
		t.Errorf("%+v", b)
	}
	sshd.Stop(t)
	if b := asked(t, state.NeedBanner, "127.0.0.1:22").Banners["127.0.0.1:22"]; b != (state.Banner{}) {
		t.Errorf("stopped: %+v", b)
	}
}

// A wire on which questions get lost is asked again, and one on which nobody is does
// not take for ever. All of them wait at the same time.
func TestQuestionsThatGetLost(t *testing.T) {
	nstest.Require(t)
	rules := "table inet lost { chain in { type filter hook input priority 0; ip daddr 192.0.2.0/24 drop; }; }"
	run(t, rules, "nft", "-f", "-")
	t.Cleanup(func() { run(t, "", "nft", "delete", "table", "inet", "lost") })
	for i := range 10 {
		own := fmt.Sprintf("192.0.2.%d/32", 100+i)
		run(t, "", "ip", "addr", "add", own, "dev", "lo")
		t.Cleanup(func() { run(t, "", "ip", "addr", "del", own, "dev", "lo") })
	}
	var dns, banner []string
	for i := range 10 {
		dns = append(dns, fmt.Sprintf("192.0.2.%d . SOA", 100+i))
		banner = append(banner, fmt.Sprintf("192.0.2.%d:22", 100+i))
	}
	// One after the other they would take longer than a look may, which says so of each. This
	// computer may take longer, too, when it has much else to do.
	nstest.Wait(t, func() error {
		st := look(t.Context(), Options{Needs: append(needs(state.NeedAnswer, dns...), needs(state.NeedBanner, banner...)...)}, []collector{
			{parts: "answers", look: (*looker).answers, asks: true}, {parts: "banners", look: (*looker).banners, asks: true},
		})
		if len(st.Answers) != 10 || len(st.Banners) != 10 {
			t.Fatalf("%d answers, %d banners", len(st.Answers), len(st.Banners))
		}
		var err error
		for n, a := range st.Answers {
			if a != (state.Answer{}) {
				err = fmt.Errorf("%s: %+v", n, a)
			}
		}
		for n, b := range st.Banners {
			if b != (state.Banner{}) {
				err = fmt.Errorf("%s: %+v", n, b)
			}
		}
		return err
	})
}

// What is not an answer to the question is waited over, and a question whose answer
// got lost is asked again.
func TestAnswersOfOthers(t *testing.T) {
	nstest.Require(t)
	c, err := net.ListenPacket("udp4", "127.0.0.9:53")
	if errors.Is(err, os.ErrPermission) {
		t.Fatal("not even root of its own namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for i := 0; ; i++ {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if i == 0 { // the first is lost, and these are somebody's
				for _, b := range [][]byte{nil, {1, 2, 3}, buf[:n], answerTo(buf[:n], func(b []byte) { b[0]++ }), loop(buf[:n])} {
					_, _ = c.WriteTo(b, from)
				}
				continue
			}
			_, _ = c.WriteTo(answerTo(buf[:n], func([]byte) {}), from)
		}
	}()
	want := map[string]state.Answer{"127.0.0.9 . SOA": {Answered: true, Code: "NOERROR", Authenticated: true}}
	if d := cmp.Diff(want, asked(t, state.NeedAnswer, "127.0.0.9 . SOA").Answers); d != "" {
		t.Error(d)
	}
}
