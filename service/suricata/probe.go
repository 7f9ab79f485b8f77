package suricata

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
)

// socketPath is the default of services.suricata.settings.unix-command.filename.
const socketPath = "/run/suricata/suricata-command.socket"

// engine is what Suricata says of itself.
type engine struct {
	Loaded  int               `json:"loaded"` // rules
	Failed  int               `json:"failed,omitempty"`
	Skipped int               `json:"skipped,omitempty"`
	Bad     []string          `json:"bad,omitempty"`     // why rules failed, a few of them
	Sources []string          `json:"sources,omitempty"` // links, or NFQ# and the number of a queue
	Events  []string          `json:"events,omitempty"`  // that it logs
	Files   []string          `json:"files,omitempty"`   // of rules: of each its digest
	Running map[string]string `json:"running,omitempty"` // values of its configuration
}

// The values of the running configuration that are asked for.
const (
	homeNet   = "vars.address-groups.HOME_NET"
	exception = "exception-policy"
	capturing = "af-packet.0.threads"
)

// engineOf asks Suricata on its socket.
var engineOf = &probe.Probe[struct{}, engine]{Name: "suricata.engine", Look: askEngine}

// mostBad is how many rules that failed are told.
const mostBad = 3

func askEngine(ctx context.Context, h probe.Host, _ struct{}) (engine, error) {
	s, err := connect(ctx, h)
	if err != nil {
		return engine{}, err
	}
	defer s.Close()
	var e engine
	var stats []struct {
		Loaded  int `json:"rules_loaded"`
		Failed  int `json:"rules_failed"`
		Skipped int `json:"rules_skipped"`
	}
	var bad []struct{ Error, Rule, Filename string }
	var sources struct{ Ifaces []string }
	for _, q := range []struct {
		command string
		into    any
	}{{"ruleset-stats", &stats}, {"ruleset-failed-rules", &bad}, {"iface-list", &sources}} {
		known, err := s.ask(q.command, nil, q.into)
		if err != nil {
			return engine{}, err
		}
		if !known {
			return engine{}, fmt.Errorf("no answer of Suricata to %s", q.command)
		}
	}
	for _, one := range stats {
		e.Loaded, e.Failed, e.Skipped = e.Loaded+one.Loaded, e.Failed+one.Failed, e.Skipped+one.Skipped
	}
	for _, one := range bad[:min(len(bad), mostBad)] {
		e.Bad = append(e.Bad, probe.Printable(one.Filename+": "+strings.TrimSpace(one.Error)))
	}
	e.Sources = slices.Sorted(slices.Values(sources.Ifaces))
	e.Running = map[string]string{}
	for _, name := range []string{homeNet, exception, capturing} {
		value, set, err := s.value(name)
		if err != nil {
			return engine{}, err
		}
		if set {
			e.Running[name] = value
		}
	}
	if e.Events, err = s.list("outputs.0.eve-log.types"); err != nil {
		return engine{}, err
	}
	files, err := s.list("rule-files")
	if err != nil {
		return engine{}, err
	}
	for _, f := range files {
		text, err := h.ReadFile(f)
		if err != nil {
			return engine{}, err
		}
		e.Files = append(e.Files, digest(text))
	}
	return e, nil
}

// digest tells texts of rules apart.
func digest(text []byte) string { return fmt.Sprintf("sha256 %.6x", sha256.Sum256(text)) }

// A socket is a connection to Suricata (Suricata User Guide, "Interacting via Unix Socket").
type socket struct {
	net.Conn
	answers *bufio.Reader
}

// answerTime is how long an answer may take: Suricata gives it between two of its other tasks.
const answerTime = 5 * time.Second

// connect opens the socket with the release of the protocol in which a message is a line.
func connect(ctx context.Context, h probe.Host) (*socket, error) {
	c, err := h.Dial(ctx, "unix", socketPath)
	if err != nil {
		return nil, err
	}
	s := &socket{c, bufio.NewReader(c)}
	a, err := s.exchange(map[string]string{"version": "0.2"})
	if err == nil && a.Return != "OK" {
		err = errors.New("release 0.2 of the protocol of Suricata's socket is refused")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

// An answer is Suricata's to a command.
type answer struct {
	Return  string          `json:"return"`
	Message json.RawMessage `json:"message"`
}

func (s *socket) exchange(question any) (answer, error) {
	b, err := json.Marshal(question)
	if err != nil {
		return answer{}, err
	}
	if err := s.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return answer{}, err
	}
	if _, err := s.Write(append(b, '\n')); err != nil {
		return answer{}, err
	}
	line, err := s.answers.ReadBytes('\n')
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, fmt.Errorf("answer of Suricata: %w", err)
	}
	return a, nil
}

// ask gives a command; into gets what is answered. It tells whether Suricata knew an answer: without
// into it need not.
func (s *socket) ask(command string, args map[string]string, into any) (bool, error) {
	q := map[string]any{"command": command}
	if args != nil {
		q["arguments"] = args
	}
	a, err := s.exchange(q)
	if err != nil {
		return false, fmt.Errorf("%s: %w", command, err)
	}
	if a.Return != "OK" {
		return false, nil
	}
	if err := json.Unmarshal(a.Message, into); err != nil {
		return false, fmt.Errorf("%s: %w", command, err)
	}
	return true, nil
}

// value is a value of the running configuration, and whether there is one.
func (s *socket) value(name string) (value string, set bool, err error) {
	set, err = s.ask("conf-get", map[string]string{"variable": name}, &value)
	return value, set, err
}

// list are the values of a list in it.
func (s *socket) list(name string) ([]string, error) {
	var out []string
	for i := 0; ; i++ {
		value, set, err := s.value(fmt.Sprintf("%s.%d", name, i))
		if err != nil || !set {
			return out, err
		}
		out = append(out, value)
	}
}

// sight is what Suricata sees of a link.
type sight struct {
	On      bool   `json:"on"` // it looks at the link
	Seen    uint64 `json:"seen,omitempty"`
	Dropped uint64 `json:"dropped,omitempty"` // of them, for want of time
	Came    uint64 `json:"came,omitempty"`    // to the link, while it was watched
	New     uint64 `json:"new,omitempty"`     // seen while it was watched
}

// sightOf watches a link, which is the question.
var sightOf = &probe.Probe[string, sight]{Name: "suricata.sight", Look: watch}

// Suricata brings its counters of a link up to date once a second, at the next packet or when none has
// come for a while (AFPDumpCounters of source-af-packet.c): packets that came in the first part of a
// look are counted by its end.
const (
	comeTime  = time.Second
	watchTime = 4 * time.Second
	lookAgain = 200 * time.Millisecond
)

func watch(ctx context.Context, h probe.Host, link string) (sight, error) {
	s, err := connect(ctx, h)
	if err != nil {
		return sight{}, err
	}
	defer s.Close()
	var stat struct{ Pkts, Drop uint64 }
	args := map[string]string{"iface": link}
	on, err := s.ask("iface-stat", args, &stat)
	if err != nil || !on {
		return sight{}, err
	}
	received := func() (uint64, error) {
		b, err := h.ReadFile("/sys/class/net/" + link + "/statistics/rx_packets")
		if err != nil {
			return 0, err
		}
		return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	}
	began, seen := time.Now(), stat.Pkts
	first, err := received()
	if err != nil {
		return sight{}, err
	}
	last := first
	for stat.Pkts == seen && time.Since(began) < watchTime {
		select {
		case <-ctx.Done():
			return sight{}, ctx.Err()
		case <-time.After(lookAgain):
		}
		if time.Since(began) < comeTime {
			if last, err = received(); err != nil {
				return sight{}, err
			}
		}
		if _, err := s.ask("iface-stat", args, &stat); err != nil {
			return sight{}, err
		}
	}
	return sight{On: true, Seen: stat.Pkts, Dropped: stat.Drop, Came: last - first, New: stat.Pkts - seen}, nil
}

// A queue is one that the kernel hands packets to a program by, and what became of them while it was
// watched.
type queue struct {
	Number  int    `json:"number"`
	Packets uint64 `json:"packets,omitempty"` // that came
	Dropped uint64 `json:"dropped,omitempty"` // of them, for want of room in the queue or of the program's memory
	Waiting uint64 `json:"waiting,omitempty"` // at the beginning or at the end, whichever is less
}

// queuesOf watches the queues that programs read.
var queuesOf = &probe.Probe[struct{}, []queue]{Name: "suricata.queues", Look: lookQueues}

// A tally is a line of the kernel's table of queues (seq_show of net/netfilter/nfnetlink_queue.c). What
// it counts has 32 bits and begins anew after the last of them.
type tally struct {
	port         uint64 // of netlink, of the program that reads it
	waiting      uint64
	full, unread uint32 // packets dropped because the queue or the socket was full
	last         uint32 // number of the last packet that had room in the queue
}

// lookQueues reads the table twice, since its counters are as old as the queue: what was lost when
// Suricata started would be told for as long as it runs, and not what is lost now.
func lookQueues(ctx context.Context, h probe.Host, _ struct{}) ([]queue, error) {
	before, err := tallies(h)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(comeTime):
	}
	after, err := tallies(h)
	if err != nil {
		return nil, err
	}
	var out []queue
	for _, number := range slices.Sorted(maps.Keys(after)) {
		a, b := after[number], before[number]
		if a.port != b.port { // a queue that was made in between
			b = tally{}
		}
		full := uint64(a.full - b.full)
		out = append(out, queue{
			Number: number, Packets: full + uint64(a.last-b.last), Dropped: full + uint64(a.unread-b.unread),
			Waiting: min(a.waiting, b.waiting),
		})
	}
	return out, nil
}

// tallies are the lines of the table by the queue's number.
func tallies(h probe.Host) (map[int]tally, error) {
	b, err := h.ReadFile("/proc/net/netfilter/nfnetlink_queue")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no program has asked for a queue
	}
	if err != nil {
		return nil, err
	}
	out := map[int]tally{}
	for line := range strings.Lines(string(b)) {
		// The number, the program's port, how many wait, the mode and the length of copies, what is dropped,
		// and the last number.
		var n [8]uint64
		f := strings.Fields(line)
		if len(f) < len(n) {
			return nil, fmt.Errorf("%q is no line of a queue", line)
		}
		for i := range n {
			if n[i], err = strconv.ParseUint(f[i], 10, 32); err != nil {
				return nil, err
			}
		}
		out[int(n[0])] = tally{port: n[1], waiting: n[2], full: uint32(n[5]), unread: uint32(n[6]), last: uint32(n[7])}
	}
	return out, nil
}
