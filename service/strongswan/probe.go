package strongswan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/strongswan/govici/vici"

	"github.com/nbr-dev/nbr/verify/probe"
)

// associated is what charon has of a tunnel.
type associated struct {
	// Loaded are the identities of the connection that charon has read, this router's first, and
	// nothing if it has none of that name.
	Loaded []string `json:"loaded,omitempty"`
	Shared bool     `json:"shared,omitempty"` // it has read a PSK for it
	DPD    int      `json:"dpd,omitempty"`    // seconds until a silent router is asked
	State  string   `json:"state,omitempty"`  // of the IKE SA: ESTABLISHED; empty without one
	Remote string   `json:"remote,omitempty"` // who the other router is, as it has proved
	IKE    string   `json:"ike,omitempty"`    // the proposal that the IKE SA is of
	Child  *child   `json:"child,omitzero"`
}

// child is the CHILD SA, by which packets are encrypted.
type child struct {
	State   string   `json:"state"` // INSTALLED, as charon calls it
	In      string   `json:"in"`    // identifiers of the XFRM interface, of what arrives and what leaves
	Out     string   `json:"out"`
	ESP     string   `json:"esp"`   // the proposal that it is of
	Local   []string `json:"local"` // traffic selectors
	Remote  []string `json:"remote"`
	BytesIn int      `json:"bytes_in"`
	Bytes   int      `json:"bytes_out"`
	Seconds int      `json:"seconds"` // since it was installed
}

// associations asks charon by vici, which has the text of no key.
var associations = &probe.Probe[string, associated]{Name: "ipsec.associations", Look: func(ctx context.Context, h probe.Host, name string) (associated, error) {
	s, err := dial(ctx, h)
	if err != nil {
		return associated{}, err
	}
	defer s.Close()
	return ask(ctx, s, name)
}}

// dial connects to charon.
func dial(ctx context.Context, h probe.Host) (*vici.Session, error) {
	return vici.NewSession(vici.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
		return h.Dial(ctx, "unix", socket)
	}))
}

// ask asks for the connection of a name and for its SAs, of which the youngest established one counts:
// while keys are renewed there are two.
func ask(ctx context.Context, s *vici.Session, name string) (associated, error) {
	var a associated
	for m, err := range s.CallStreaming(ctx, "list-conns", "list-conn", message("ike", name)) {
		if err != nil {
			return a, err
		}
		if conn, ok := m.Get(name).(*vici.Message); ok {
			a.Loaded = []string{identityOf(conn, "local-1"), identityOf(conn, "remote-1")}
			a.DPD, _ = strconv.Atoi(text(conn, "dpd_delay"))
		}
	}
	shared, err := s.Call(ctx, "get-shared", nil)
	if err != nil {
		return a, err
	}
	ids, _ := shared.Get("keys").([]string)
	a.Shared = slices.Contains(ids, "ike-"+name)
	for m, err := range s.CallStreaming(ctx, "list-sas", "list-sa", message("ike", name)) {
		if err != nil {
			return a, err
		}
		sa, ok := m.Get(name).(*vici.Message)
		if !ok || a.State == established && text(sa, "state") != established {
			continue
		}
		a.State, a.Remote = text(sa, "state"), text(sa, "remote-id")
		a.IKE = agreedOf(sa)
		if c := childOf(sa); c != nil && (a.Child == nil || c.Seconds <= a.Child.Seconds) {
			a.Child = c
		}
	}
	return a, nil
}

// established is the state of an IKE SA that works.
const established = "ESTABLISHED"

// installed tells whether a CHILD SA has keys in the kernel, also while it gets others.
func (c *child) installed() bool {
	return slices.Contains([]string{"INSTALLED", "UPDATING", "REKEYING", "REKEYED"}, c.State)
}

// message is one of pairs.
func message(pairs ...string) *vici.Message {
	m := vici.NewMessage()
	for i := 0; i < len(pairs); i += 2 {
		_ = m.Set(pairs[i], pairs[i+1]) // a string is always taken
	}
	return m
}

// text is a value of a message, as it may be printed.
func text(m *vici.Message, key string) string {
	v, _ := m.Get(key).(string)
	return probe.Printable(v)
}

// list is a list of a message.
func list(m *vici.Message, key string) []string {
	v, _ := m.Get(key).([]string)
	out := make([]string, len(v))
	for i, s := range v {
		out[i] = probe.Printable(s)
	}
	return out
}

// identityOf is the identity in an authentication round of a connection.
func identityOf(conn *vici.Message, round string) string {
	if m, ok := conn.Get(round).(*vici.Message); ok {
		return text(m, "id")
	}
	return ""
}

// childOf is the youngest CHILD SA of an IKE SA that is installed, or else any; nil without one.
func childOf(sa *vici.Message) *child {
	all, ok := sa.Get("child-sas").(*vici.Message)
	if !ok {
		return nil
	}
	var out *child
	for _, key := range all.Keys() {
		m, ok := all.Get(key).(*vici.Message)
		if !ok {
			continue
		}
		number := func(key string) int {
			n, _ := strconv.Atoi(text(m, key))
			return n
		}
		c := &child{
			State: text(m, "state"), In: identifier(text(m, "if-id-in")), Out: identifier(text(m, "if-id-out")), ESP: agreedOf(m),
			Local: list(m, "local-ts"), Remote: list(m, "remote-ts"),
			BytesIn: number("bytes-in"), Bytes: number("bytes-out"), Seconds: number("install-time"),
		}
		if out == nil || c.installed() && (!out.installed() || c.Seconds <= out.Seconds) {
			out = c
		}
	}
	return out
}

// identifier is that of an interface in decimal, where vici has it in hexadecimal, and 0 for none.
func identifier(hex string) string {
	n, _ := strconv.ParseUint(hex, 16, 32)
	return fmt.Sprint(n)
}

// A beginning is what came of an attempt to begin with a tunnel that is not there.
type beginning struct {
	Up bool `json:"up,omitempty"` // the tunnel is there, or came up at once
	// Stopped says that charon does not run.
	Stopped bool   `json:"stopped,omitempty"`
	Cause   cause  `json:"cause,omitempty"` // why it did not come up
	Said    string `json:"said,omitempty"`  // in charon's words
}

// A cause is what keeps two routers apart.
type cause string

// The causes, in the order in which two routers get to know each other. Each but the first says that the other
// one answers.
const (
	unknown        cause = ""
	silent         cause = "silent"
	proposals      cause = "proposals"
	authentication cause = "authentication"
	identity       cause = "identity"
	childProposals cause = "child proposals"
	subnets        cause = "subnets"
	kernel         cause = "kernel"
)

// A question is a tunnel, and whether this router begins.
type question struct {
	Name   string `json:"name"`
	Begins bool   `json:"begins,omitempty"`
}

// attemptTime is how long an attempt may take: three packets of IKE that are lost (charon sends again after
// 4 and 7.2 seconds more), and less than the host gives a connection.
const attemptTime = 8 * time.Second

// attempt asks charon to begin with a tunnel that is not there, as it does by itself, for only then it says
// what is wrong.
var attempt = &probe.Probe[question, beginning]{Name: "ipsec.attempt", Active: true, Look: func(ctx context.Context, h probe.Host, q question) (beginning, error) {
	s, err := dial(ctx, h)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return beginning{Stopped: true}, nil
	}
	if err != nil {
		return beginning{}, err
	}
	defer s.Close()
	a, err := ask(ctx, s, q.Name)
	if up := a.State == established && a.Child != nil && a.Child.installed(); err != nil || up || !q.Begins {
		return beginning{Up: up}, err
	}
	in := message("ike", q.Name, "child", q.Name, "timeout", fmt.Sprint(attemptTime.Milliseconds()), "loglevel", "1")
	var said []string
	failed := false
	for m, err := range s.CallStreaming(ctx, "initiate", "control-log", in) {
		if m == nil {
			return beginning{}, err // of the connection to charon
		}
		if failed = err != nil; failed {
			break // it says that the tunnel did not come up
		}
		if msg := text(m, "msg"); msg != "" {
			said = append(said, msg)
		}
	}
	if !failed {
		return beginning{Up: true}, nil
	}
	c, why := causeOf(said)
	return beginning{Cause: c, Said: why}, nil
}}

// causes are what charon says, by the beginning of a line or a part of it (ike_init.c, ike_auth.c,
// psk_authenticator.c, child_create.c, task_manager_v2.c, controller.c of strongSwan 5.9 to 6.1).
var causes = []struct {
	says string
	is   cause
}{
	{"received NO_PROPOSAL_CHOSEN notify error", proposals},
	{"received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", childProposals},
	{"received TS_UNACCEPTABLE notify", subnets},
	{"received AUTHENTICATION_FAILED notify", authentication},
	{"no shared key found", authentication},
	{"no private key found", authentication},
	{"no trusted ", authentication},
	{"no issuer certificate found", authentication},
	{"but MAC mismatched", authentication},
	{"constraint check failed: identity", identity},
	{"does not match to", identity},
	{"unable to install", kernel},
	{"giving up after", silent},
	{"retransmit ", silent},
	{"unable to resolve", silent},
	{"peer not responding", silent},
	{"error writing to socket", silent},
}

// causeOf is the first cause that charon says which is none of silence: what it says later follows from it.
func causeOf(said []string) (cause, string) {
	is, why := unknown, ""
	for _, line := range said {
		for _, c := range causes {
			if !strings.Contains(line, c.says) {
				continue
			}
			if c.is != silent {
				return c.is, line
			}
			is, why = silent, line
		}
	}
	if is == unknown && len(said) > 0 {
		why = said[len(said)-1]
	}
	return is, why
}
