package observe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// asNobody, if set, makes the test binary look as the user that runs it.
const asNobody = "NBR_OBSERVE_AS_NOBODY"

const goodTable = `table inet nbr {
	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport 22 counter accept
	}
}
`

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) != "" {
		need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
		st := Look(context.Background(), Options{Needs: []state.Need{need}, Questions: lookQuestions})
		if err := Save(os.Stdout, st); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	nstest.Main(m)
}

// arrives and glances take privileges. The one waits until something is sent back, the other
// does not take long.
var (
	arrives = syn("test.arrives", nstest.Patience)
	glances = syn("test.glances", 300*time.Millisecond)
)

// syn is a probe that has a SYN for ssh arrive on a link, as if a remote host had sent it,
// and says whether something was sent back.
func syn(name string, wait time.Duration) *probe.Probe[string, bool] {
	return &probe.Probe[string, bool]{Name: name, Active: true, Look: func(ctx context.Context, h probe.Host, link string) (bool, error) {
		remote := netip.MustParseAddrPort("198.51.100.7:50000")
		return h.Exchange(ctx, probe.Exchange{
			Link: link, Remote: true, Wait: wait,
			Only: probe.Filter{EtherType: packet.EtherIPv4, Bytes: probe.Bytes(16, remote.Addr().AsSlice())},
			Frame: func(own probe.Endpoint) ([]byte, error) {
				i := slices.IndexFunc(own.Addrs, netip.Addr.Is4)
				return packet.Frame(own.MAC, packet.RandomMAC(), packet.Segment(remote, netip.AddrPortFrom(own.Addrs[i], 22), 1000, packet.SYN)), nil
			},
			Answers: func([]byte) bool { return true },
		})
	}}
}

// connects takes no privilege.
var connects = &probe.Probe[string, bool]{Name: "test.connects", Active: true, Look: func(ctx context.Context, h probe.Host, to string) (bool, error) {
	c, err := h.Dial(ctx, "tcp", to)
	if err == nil {
		_ = c.Close()
	} else if probe.Silent(err) {
		return false, nil
	}
	return err == nil, err
}}

const capabilities = "grep -E ^Cap(Eff|Prm|Amb) /proc/self/status"

var lookQuestions = []probe.Question{arrives.Ask("wan"), connects.Ask("127.0.0.1:1"), runs.Ask(capabilities)}

// A user without a privilege sees less, and all that is not seen is said.
func TestAsNobody(t *testing.T) {
	nstest.Upstream(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") // of a process that may not be looked at
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nstest.Ruleset(t, goodTable)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.Dir = "/"
	// The root of another user namespace has no say in the network namespace it is in, and
	// other users have none in it either. This works for root and for all users.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getegid(), Size: 1}},
	}
	out, err := nstest.Output(cmd)
	if err != nil {
		t.Fatal(err)
	}
	st, err := Load(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if st.Listeners != nil || !strings.Contains(st.Missed["listeners"], "permission denied") {
		t.Errorf("listeners: %v, %q", st.Listeners, st.Missed["listeners"])
	}
	if st.Tables != nil || !strings.Contains(st.Missed["tables"], "ermitted") {
		t.Errorf("tables: %v, %q", st.Tables, st.Missed["tables"])
	}
	if st.Rulesets != nil || !strings.Contains(st.Missed["rulesets"], "ermitted") {
		t.Errorf("rulesets: %v, %q", st.Rulesets, st.Missed["rulesets"])
	}
	if st.Links == nil || st.Addrs == nil || st.Routes == nil || st.Rules == nil || st.Clock == nil {
		t.Errorf("what all users may see: %+v", st)
	}
	// What could not be asked is not said to be silent.
	if _, err := arrives.Answer(st, "wan"); err == nil || !strings.HasPrefix(err.Error(), "no permission to hear what leaves") {
		t.Errorf("a packet that arrives: %v", err)
	}
	if answered, err := connects.Answer(st, "127.0.0.1:1"); answered || err != nil {
		t.Errorf("a connection: %t, %v", answered, err)
	}
}

// A user that has these three capabilities and no others, as the agent's own may, asks as
// root does; with one of them less it is said which.
func TestWithCapabilities(t *testing.T) {
	nstest.Upstream(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules of nftables has said it
	}
	program := filepath.Join("/run", "observe.test") // where all users may run it
	nstest.Run(t, "", "cp", "/proc/1/exe", program)
	nstest.Run(t, "", "chmod", "755", program)
	for _, tt := range []struct {
		why  string
		caps []uintptr
	}{
		{"", []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW, unix.CAP_BPF}},
		{"no permission to make a packet arrive", []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_RAW}},
		{"no permission to make a packet arrive", []uintptr{unix.CAP_NET_RAW, unix.CAP_BPF}},
		{"no permission to hear what leaves", []uintptr{unix.CAP_NET_ADMIN, unix.CAP_BPF}},
	} {
		cmd := exec.CommandContext(t.Context(), program)
		cmd.Env = append(os.Environ(), asNobody+"=1")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: tt.caps}
		out, err := nstest.Output(cmd)
		if err != nil {
			t.Fatal(err)
		}
		st, err := Load(strings.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		// Commands of users have none of what was lent.
		if c, err := runs.Answer(st, capabilities); err != nil || !strings.HasPrefix(c, "0 ") || strings.Trim(c, "CapPrmEfAb:\t\n0 ") != "" || strings.Count(c, "\n") != 3 {
			t.Errorf("%v: a command has %q (%v)", tt.caps, c, err)
		}
		answered, err := arrives.Answer(st, "wan")
		if tt.why == "" && (!answered || err != nil) || tt.why != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.why)) {
			t.Errorf("%v: %t, %v, want %q", tt.caps, answered, err, tt.why)
		}
	}
}
