package observe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// asNobody, if set, makes the test binary look as whoever runs it.
const asNobody = "NBR_OBSERVE_AS_NOBODY"

func TestMain(m *testing.M) {
	if os.Getenv(asNobody) != "" {
		need := state.Need{Kind: state.NeedRuleset, Name: "inet nbr", Text: goodTable}
		st := Look(context.Background(), Options{Needs: append([]state.Need{need}, nobodysQuestions...)})
		nft, err := exec.LookPath("nft")
		if err == nil {
			var want []string
			want, err = throwaway(context.Background(), nft, need)
			st.Users = want // a place to carry it home in
		}
		if err != nil {
			st.Missed["throwaway"] = err.Error()
		}
		if err := Save(os.Stdout, st); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	nstest.Main(m)
}

// nobodysQuestions are two that take privileges and one that takes none.
var nobodysQuestions = []state.Need{
	{Kind: state.NeedOffer, Name: "wan"},
	{Kind: state.NeedReach, Name: "wan tcp/22"},
	{Kind: state.NeedAnswer, Name: "127.0.0.1 . SOA"},
	{Kind: state.NeedCommand, Name: "check.caps", Args: []string{"grep", "-E", "^Cap(Eff|Prm|Amb)", "/proc/self/status"}},
}

// Somebody without a privilege sees less, and all that is not seen is said.
func TestAsNobody(t *testing.T) {
	listen(t)
	upstream(t)
	load(t, goodTable)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.Dir = "/"
	// A stranger's user namespace has no say in the network namespace it is in, and who
	// is not its root has none in it either. This works for root and for everybody.
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
		t.Errorf("what everybody may see: %+v", st)
	}
	// The throwaway namespace is to be had all the same.
	if why := st.Missed["throwaway"]; len(st.Users) == 0 || why != "" {
		t.Errorf("the throwaway namespace: %q, %q", st.Users, why)
	}
	// Nobody is said to be silent who was not asked.
	if o := st.Offers["wan"]; o.Answered || !strings.HasPrefix(o.Error, "no permission to hear what leaves") {
		t.Errorf("an offer: %+v", o)
	}
	if r := st.Reaches["wan tcp/22"]; r.Answered || !strings.HasPrefix(r.Error, "no permission to hear what leaves") {
		t.Errorf("a stranger: %+v", r)
	}
	if a, asked := st.Answers["127.0.0.1 . SOA"]; !asked || a != (state.Answer{}) {
		t.Errorf("an answer: %+v", st.Answers)
	}
}

// Who has these three and nothing else, as the agent's own user may, asks as root
// does; with one of them less it is said which.
func TestWithCapabilities(t *testing.T) {
	upstream(t)
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	program := filepath.Join("/run", "observe.test") // where everybody may run it
	run(t, "", "cp", "/proc/1/exe", program)
	run(t, "", "chmod", "755", program)
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
		// Commands of check blocks have none of what was lent.
		if c := st.Commands["check.caps"]; c.Error != "" || strings.Trim(c.Output, "CapPrmEfAb:\t\n0") != "" || strings.Count(c.Output, "\n") != 3 {
			t.Errorf("%v: a command has %+v", tt.caps, c)
		}
		o, r := st.Offers["wan"], st.Reaches["wan tcp/22"]
		if tt.why == "" && (o.Answered || o.Error != "" || r != (state.Reach{Answered: true, Answer: "RST"})) ||
			!strings.HasPrefix(o.Error, tt.why) || !strings.HasPrefix(r.Error, tt.why) {
			t.Errorf("%v: %+v, %+v", tt.caps, o, r)
		}
	}
}
