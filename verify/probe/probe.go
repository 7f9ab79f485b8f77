// Package probe is how a program's own questions to the router are asked, recorded and
// read. A probe lives in the folder of the program that it is about and brings the type
// of its questions, the type of its answers, and the function that looks. Time limits,
// -passive, recording and replay are not its business.
package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/nbr-dev/nbr/verify/state"
)

// A Host is the machine that a probe looks at.
type Host interface {
	// Run runs a program without a shell, and kills it with its children when the
	// context ends. The program is a name in PATH or among the system's own, or an
	// absolute path. A program that ends with another exit code than 0 is no error;
	// one that prints more than OutputLimit is ErrOutput, with the beginning of it.
	Run(ctx context.Context, program string, args ...string) (Output, error)
	// Dial connects to a socket of the router itself (network and address as of net.Dial),
	// within two seconds: an address that is another machine's is an error. A program that
	// gets no processor, and so does not take the connection or answers later than the
	// deadline, is waited for; if that takes too long, the error of Dial or Read is none that
	// Silent takes for silence. Unless the probe sets a deadline, it is ten seconds after Dial.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// ReadFile reads a file of at most OutputLimit bytes.
	ReadFile(name string) ([]byte, error)
	// Exchange asks by a frame on a link. It tells whether an answer was heard; an
	// error says why nothing could be asked, or that silence would mean nothing.
	Exchange(ctx context.Context, x Exchange) (answered bool, err error)
	// Way asks the kernel how a packet from this machine's first address on a link that the
	// world can send to gets to a host. Of IPv6 that may be one of another link: a provider may
	// delegate a prefix and give no other address. The mark is that of its flow, by which a rule may choose
	// the routes; 0 is none. A NoWay says why it does not.
	Way(ctx context.Context, link string, mark uint32, to netip.Addr) (Way, error)
	// Radio asks the kernel what an interface of Wi-Fi does. The error is fs.ErrNotExist if there is no
	// such interface, or if it is none of Wi-Fi.
	Radio(ctx context.Context, link string) (Radio, error)
}

// A Radio is an interface of Wi-Fi, as the kernel has it (linux/nl80211.h).
type Radio struct {
	AccessPoint bool   `json:"access_point"`
	SSID        string `json:"ssid"`
	Frequency   int    `json:"frequency"` // of the primary channel, in MHz; 0 if it has none
	Width       int    `json:"width"`     // of the channel, in MHz
	Power       int    `json:"power"`     // with which it sends at most, in hundredths of a dBm
	Country     string `json:"country"`   // whose rules count, for all radios if this one has some without a name: ISO 3166-1, or 00 for those of the whole world
}

// OutputLimit is the largest output of a program, and the largest file, that a probe
// gets: what a routing daemon says of a full table of the Internet is larger, and a
// check has no use for it.
const OutputLimit = 16 << 20

// ErrOutput is of a program that prints more than OutputLimit.
var ErrOutput = fmt.Errorf("it printed more than %d bytes", OutputLimit)

// Output is what a program printed and how it ended.
type Output struct {
	Exit   int
	Stdout []byte
}

// Silent tells whether an error of a connection means that the question was sent and no
// answer came: a time-out, or an ICMP error of a port or host that is not there.
func Silent(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EHOSTUNREACH)
}

// A Probe is a kind of question Q with answers of the type A. Both have a JSON form
// that is read back strictly.
type Probe[Q comparable, A any] struct {
	// Name is unique among all probes: the program and what is asked, as in frr.bgp.
	Name string
	// Active probes send something to a program of the router or to others: -passive
	// leaves them out.
	Active bool
	// UserCommand probes run a command of the spec's author. They are active. What they
	// run has no capabilities that this process was lent; few run at a time, and each may
	// take longer than other questions, but all of them together have a bound.
	UserCommand bool
	// Look answers a question. An error says why it could not be answered; what is not
	// there is an answer.
	Look func(ctx context.Context, h Host, q Q) (A, error)
}

// Any is a probe of whatever questions and answers. A probe is known by its address: two
// with one name are two.
type Any interface {
	// ID is the probe's Name.
	ID() string
}

// ID makes it [Any].
func (p *Probe[Q, A]) ID() string { return p.Name }

// A Question is a question of some probe.
type Question struct {
	Probe       string
	Key         string // the question: its text, or its JSON form if it is none
	Active      bool
	UserCommand bool
	Of          Any // the probe
	look        func(context.Context, Host) (any, error)
}

// Ask makes a question, for the list of those that a check needs.
func (p *Probe[Q, A]) Ask(q Q) Question {
	return Question{
		Probe: p.Name, Key: p.key(q), Active: p.Active || p.UserCommand, UserCommand: p.UserCommand, Of: p,
		look: func(ctx context.Context, h Host) (any, error) { return p.Look(ctx, h, q) },
	}
}

func (p *Probe[Q, A]) key(q Q) string {
	b, err := json.Marshal(q)
	if err != nil {
		panic(fmt.Sprintf("probe %s: a question has no JSON form: %s", p.Name, err))
	}
	var text string
	if json.Unmarshal(b, &text) == nil {
		return text
	}
	return string(b)
}

// Look asks the machine.
func (q Question) Look(ctx context.Context, h Host) state.Probed {
	answer, err := q.look(ctx, h)
	if err != nil {
		return state.Probed{Error: err.Error()}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return state.Probed{Error: fmt.Sprintf("the answer has no JSON form: %s", err)}
	}
	return state.Probed{Answer: b}
}

// Answer is the answer to a question in a state. The error says why there is none:
// ErrNotAsked if the state has nothing of the question.
func (p *Probe[Q, A]) Answer(st *state.State, q Q) (A, error) {
	var a A
	seen, ok := st.Probes[p.Name][p.key(q)]
	switch {
	case !ok:
		return a, ErrNotAsked
	case seen.Error != "":
		return a, errors.New(seen.Error)
	}
	dec := json.NewDecoder(bytes.NewReader(seen.Answer))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return *new(A), fmt.Errorf("the recorded answer of %s cannot be read: %w", p.Name, err)
	}
	return a, nil
}

// ErrNotAsked is of a question that was not asked.
var ErrNotAsked = errors.New("could not be seen")
