package frr

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
)

// probes are those that the checks ask by.
var probes = []probe.Any{bgpSession, bfdSessions, ripStatus, linesOf, ospfNeighbours, ospfRouter, ospfInterface, prefixList, keyOf}

// session is what bgpd says of a neighbour, and of itself to it.
type session struct {
	Running  bool           `json:"running"`                // bgpd answers
	State    string         `json:"state,omitempty"`        // of RFC 4271 section 8.2.2; empty if bgpd knows no such neighbour
	Reason   string         `json:"reason,omitempty"`       // why the last session ended
	AS       uint32         `json:"as,omitempty"`           // the router's
	RouterID string         `json:"router_id,omitempty"`    // the router's
	RemoteAS uint32         `json:"remote_as,omitempty"`    // that the neighbour has to be of
	Local    string         `json:"local,omitempty"`        // the router's address of the session; empty if there is none
	In       string         `json:"prefixes_in,omitempty"`  // the prefix list that is applied
	Out      string         `json:"prefixes_out,omitempty"` // likewise
	BFD      bool           `json:"bfd,omitempty"`          // the session ends when BFD says so
	NextHops bool           `json:"next_hops,omitempty"`    // both ends take IPv6 next hops of IPv4 routes
	Received int            `json:"received"`               // prefixes that the policy took
	Sent     []netip.Prefix `json:"sent,omitempty"`         // sorted
}

// bgpSession asks bgpd for a neighbour by its address, or by the interface whose other end it is at. Of
// the latter it is about both versions of IP.
var bgpSession = &probe.Probe[string, session]{Name: "frr.bgp", Look: func(ctx context.Context, h probe.Host, peer string) (session, error) {
	var all map[string]json.RawMessage // an unknown neighbour is {"bgpNoSuchNeighbor":true}
	running, err := show(ctx, h, "bgpd", "show bgp neighbors "+peer+" json", &all)
	if err != nil || !running {
		return session{}, err
	}
	out := session{Running: true}
	if all[peer] == nil {
		return out, nil
	}
	var p struct {
		State        string    `json:"bgpState"`
		Reason       string    `json:"lastResetDueTo"`
		AS           uint32    `json:"localAs"`
		RouterID     string    `json:"localRouterId"`
		RemoteAS     uint32    `json:"remoteAs"`
		Local        string    `json:"hostLocal"`
		BFD          *struct{} `json:"peerBfdInfo"`
		Capabilities struct {
			NextHops string `json:"extendedNexthop"`
		} `json:"neighborCapabilities"`
		Families map[string]struct {
			Received int    `json:"acceptedPrefixCounter"`
			In       string `json:"incomingUpdatePrefixFilterList"`
			Out      string `json:"outgoingUpdatePrefixFilterList"`
		} `json:"addressFamilyInfo"`
	}
	if err := json.Unmarshal(all[peer], &p); err != nil {
		return session{}, fmt.Errorf("what bgpd answers of %s is not understood: %w", peer, err)
	}
	out.State, out.AS, out.RouterID, out.RemoteAS, out.BFD = p.State, p.AS, p.RouterID, p.RemoteAS, p.BFD != nil
	families := []bool{false, true}
	if a, err := netip.ParseAddr(peer); err == nil {
		families = []bool{a.Is6()}
	}
	var in, to []string
	for _, v6 := range families {
		f := p.Families[family(v6)+"Unicast"]
		in, to = append(in, f.In), append(to, f.Out)
		out.Received += f.Received
	}
	out.In, out.Out = strings.Join(slices.Compact(in), ", "), strings.Join(slices.Compact(to), ", ")
	if p.State != established {
		out.Reason, out.Received = p.Reason, 0
		return out, nil
	}
	out.Local, out.NextHops = p.Local, p.Capabilities.NextHops == "advertisedAndReceived"
	for _, v6 := range families {
		var told struct {
			Routes map[netip.Prefix]json.RawMessage `json:"advertisedRoutes"`
		}
		if _, err := show(ctx, h, "bgpd", "show bgp "+family(v6)+" unicast neighbors "+peer+" advertised-routes json", &told); err != nil {
			return out, err
		}
		for p := range told.Routes {
			out.Sent = append(out.Sent, p)
		}
	}
	slices.SortFunc(out.Sent, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	return out, nil
}}

const established = "Established"

// adjacencies are what ospfd says of the neighbours on an interface.
type adjacencies struct {
	Running bool              `json:"running"`
	States  map[string]string `json:"states,omitempty"` // by the neighbour's identifier, as in Full/DR
}

// ospfNeighbours asks ospfd for the neighbours on an interface.
var ospfNeighbours = &probe.Probe[string, adjacencies]{Name: "frr.ospf", Look: func(ctx context.Context, h probe.Host, device string) (adjacencies, error) {
	all, running, err := neighboursOn(ctx, h, device)
	if err != nil || !running {
		return adjacencies{}, err
	}
	out := adjacencies{Running: true, States: map[string]string{}}
	for _, n := range all {
		out.States[n.id] = n.State
	}
	return out, nil
}}

// An ospfNeighbour is one as ospfd has it.
type ospfNeighbour struct {
	id        string
	State     string     `json:"nbrState"`     // as in Full/DR
	Address   netip.Addr `json:"ifaceAddress"` // the neighbour's
	Interface string     `json:"ifaceName"`    // with the address: lan1:192.0.2.1
}

// neighboursOn are those on an interface, in no order.
func neighboursOn(ctx context.Context, h probe.Host, device string) (out []ospfNeighbour, running bool, err error) {
	var all struct {
		Neighbours map[string][]ospfNeighbour `json:"neighbors"`
	}
	running, err = show(ctx, h, "ospfd", "show ip ospf neighbor json", &all)
	for id, list := range all.Neighbours {
		for _, n := range list {
			if on, _, _ := strings.Cut(n.Interface, ":"); on == device {
				n.id = id
				out = append(out, n)
			}
		}
	}
	return out, running, err
}

// A speaker is what ospfd says of itself.
type speaker struct {
	Running  bool   `json:"running"`
	RouterID string `json:"router_id,omitempty"`
}

// ospfRouter asks ospfd who it is.
var ospfRouter = &probe.Probe[struct{}, speaker]{Name: "frr.ospf_router", Look: func(ctx context.Context, h probe.Host, _ struct{}) (speaker, error) {
	var is struct {
		RouterID string `json:"routerId"`
	}
	running, err := show(ctx, h, "ospfd", "show ip ospf json", &is)
	return speaker{running, is.RouterID}, err
}}

// An ospfLink is an interface as ospfd has it.
type ospfLink struct {
	Running  bool   `json:"running"`
	Area     string `json:"area,omitempty"` // empty if OSPF has nothing to do with the interface
	Passive  bool   `json:"passive,omitempty"`
	BFD      bool   `json:"bfd,omitempty"`       // neighbours are gone when BFD says so
	KeyChain string `json:"key_chain,omitempty"` // empty if there is no authentication, or by something else
}

// ospfInterface asks ospfd for an interface.
var ospfInterface = &probe.Probe[string, ospfLink]{Name: "frr.ospf_interface", Look: func(ctx context.Context, h probe.Host, device string) (ospfLink, error) {
	var all struct {
		Interfaces map[string]struct {
			Area           string    `json:"area"`
			Passive        bool      `json:"timerPassiveIface"`
			BFD            *struct{} `json:"peerBfdInfo"`
			Authentication string    `json:"authentication"`
			KeyChain       string    `json:"keychain"`
		} `json:"interfaces"`
	}
	running, err := show(ctx, h, "ospfd", "show ip ospf interface "+device+" json", &all)
	l := all.Interfaces[device]
	if l.Authentication != "authenticationKeyChain" {
		l.KeyChain = ""
	}
	return ospfLink{running, l.Area, l.Passive, l.BFD != nil, l.KeyChain}, err
}}

// A bfdQuestion is for the sessions of bfdd, and for the neighbours of OSPF on an interface if one is named.
type bfdQuestion struct {
	OSPF string `json:"ospf,omitempty"`
}

// bfdAnswer are the sessions of bfdd, by link and neighbour.
type bfdAnswer struct {
	Running    bool         `json:"running"`
	Sessions   []bfdSession `json:"sessions,omitempty"`
	Neighbours []netip.Addr `json:"neighbours,omitempty"` // of OSPF that hear this router, sorted
}

// A bfdSession is what bfdd says of a neighbour, and how it does its part.
type bfdSession struct {
	Peer       netip.Addr `json:"peer"`
	Link       string     `json:"link,omitempty"`
	Status     string     `json:"status"`
	Diagnostic string     `json:"diagnostic,omitempty"` // why it is not up (RFC 5880 section 4.1)
	Receive    int        `json:"receive"`              // ms
	Transmit   int        `json:"transmit"`             // ms
	Multiplier int        `json:"multiplier"`
	Passive    bool       `json:"passive,omitempty"`
}

// bfdSessions asks bfdd for all of its sessions. OSPF wants one with each neighbour that hears this router,
// which is 2-Way or further (ospfd/ospf_bfd.c).
var bfdSessions = &probe.Probe[bfdQuestion, bfdAnswer]{Name: "frr.bfd", Look: func(ctx context.Context, h probe.Host, q bfdQuestion) (bfdAnswer, error) {
	var all []struct {
		Peer       netip.Addr `json:"peer"`
		Interface  string     `json:"interface"`
		Status     string     `json:"status"`
		Diagnostic string     `json:"diagnostic"`
		Receive    int        `json:"receive-interval"`
		Transmit   int        `json:"transmit-interval"`
		Multiplier int        `json:"detect-multiplier"`
		Passive    bool       `json:"passive-mode"`
	}
	// The command is there for administrators only (bfdd/bfdd_vty.c).
	running, err := show(ctx, h, "bfdd", "show bfd peers json", &all, "enable")
	out := bfdAnswer{Running: running}
	for _, s := range all {
		out.Sessions = append(out.Sessions, bfdSession{s.Peer.WithZone(""), s.Interface, s.Status, s.Diagnostic, s.Receive, s.Transmit, s.Multiplier, s.Passive})
	}
	slices.SortFunc(out.Sessions, func(a, b bfdSession) int { return cmp.Or(cmp.Compare(a.Link, b.Link), a.Peer.Compare(b.Peer)) })
	if err != nil || !running || q.OSPF == "" {
		return out, err
	}
	neighbours, _, err := neighboursOn(ctx, h, q.OSPF)
	for _, n := range neighbours {
		if name, _, _ := strings.Cut(n.State, "/"); !slices.Contains([]string{"Deleted", "Down", "Attempt", "Init"}, name) {
			out.Neighbours = append(out.Neighbours, n.Address)
		}
	}
	slices.SortFunc(out.Neighbours, netip.Addr.Compare)
	return out, err
}}

// A listQuestion asks a daemon for a prefix list: each has its own.
type listQuestion struct {
	Daemon string `json:"daemon"`
	Name   string `json:"name"`
	V6     bool   `json:"v6,omitempty"`
}

// listed is a prefix list as a daemon has it.
type listed struct {
	Running bool     `json:"running"`
	Rules   []string `json:"rules,omitempty"` // as in "permit 10.1.0.0/16 le 24"; none if there is no such list
}

var prefixList = &probe.Probe[listQuestion, listed]{Name: "frr.prefix_list", Look: func(ctx context.Context, h probe.Host, q listQuestion) (listed, error) {
	text, running, err := ask(ctx, h, q.Daemon, fmt.Sprintf("show %s prefix-list %s", word(q.V6), q.Name))
	if r := (refusal{}); errors.As(err, &r) && strings.Contains(r.text, "Can't find specified prefix-list") { // lib/plist.c
		return listed{Running: true}, nil
	}
	if err != nil || !running {
		return listed{}, err
	}
	out := listed{Running: true}
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "seq" {
			out.Rules = append(out.Rules, strings.Join(words[2:], " "))
		}
	}
	return out, nil
}}

// show asks a daemon for something in JSON. It tells whether the daemon runs. One that has
// nothing to do with its protocol says nothing, which leaves into as it is. Before it come commands
// without which the daemon does not know the one.
func show(ctx context.Context, h probe.Host, daemon, command string, into any, before ...string) (running bool, err error) {
	text, running, err := ask(ctx, h, daemon, append(before, command)...)
	if err != nil || strings.TrimSpace(text) == "" {
		return running, err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return true, fmt.Errorf("%s: what %s answers is not understood: %w", command, daemon, err)
	}
	return true, nil
}

// ask gives a daemon commands as vtysh(1) does, which itself is of no use here: it changes
// its user, and who looks at the router may not. The text is the answer to the last
// one. A socket that is not there, or behind which is no daemon, is an answer.
func ask(ctx context.Context, h probe.Host, daemon string, commands ...string) (text string, running bool, err error) {
	conn, err := h.Dial(ctx, "unix", "/run/frr/"+daemon+".vty")
	if errors.Is(err, fs.ErrNotExist) || err != nil && probe.Silent(err) && ctx.Err() == nil {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	defer conn.Close()
	// All waiting on the connection ends with the context.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r := bufio.NewReader(io.LimitReader(conn, probe.OutputLimit))
	for _, c := range commands {
		if text, err = command(conn, r, daemon, c); err != nil {
			return "", true, err
		}
	}
	return text, true, nil
}

// command gives a command to a daemon and reads the answer. The command ends with a zero,
// the answer with three and a byte that is 0 if the daemon has understood (vtysh/vtysh.c,
// vtysh_client_run).
func command(conn io.Writer, r *bufio.Reader, daemon, command string) (string, error) {
	if _, err := conn.Write(append([]byte(command), 0)); err != nil {
		return "", err
	}
	answer, err := r.ReadBytes(0)
	if errors.Is(err, io.EOF) && len(answer) == probe.OutputLimit {
		return "", fmt.Errorf("%s: %s answers with more than %d bytes", command, daemon, probe.OutputLimit)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %s has not answered: %w", command, daemon, err)
	}
	var end [3]byte
	if _, err := io.ReadFull(r, end[:]); err != nil {
		return "", fmt.Errorf("%s: the answer of %s has no end: %w", command, daemon, err)
	}
	text := string(answer[:len(answer)-1])
	if end != [3]byte{} {
		return "", refusal{command, daemon, strings.TrimSpace(text)}
	}
	return text, nil
}

// A refusal is what a daemon says of a command that it does not carry out.
type refusal struct{ command, daemon, text string }

func (r refusal) Error() string {
	return fmt.Sprintf("%s: %s refuses: %s", r.command, r.daemon, r.text)
}
