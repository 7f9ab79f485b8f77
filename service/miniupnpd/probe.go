package miniupnpd

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/probe"
)

// external is what the daemon tells a host of the router's external address.
type external struct {
	Answered bool   `json:"answered"`
	Address  string `json:"address,omitempty"`
	Refused  string `json:"refused,omitempty"` // why there is no address
}

// externalOf asks by NAT-PMP on one of the router's own addresses (RFC 6886 section 3.2): that asks
// for an address and opens nothing. Of UPnP the router cannot ask itself, whose sockets hear the
// network's link alone.
var externalOf = &probe.Probe[netip.Addr, external]{Name: "miniupnpd.external", Active: true, Look: askExternal}

// tries are how often is asked, each with twice the time of the one before, as RFC 6886 section 3.1
// has it.
const tries = 3

func askExternal(ctx context.Context, h probe.Host, own netip.Addr) (external, error) {
	wait := 250 * time.Millisecond
	for range tries {
		a, err := askOnce(ctx, h, own, wait)
		if err == nil || !probe.Silent(err) {
			return a, err
		}
		wait *= 2
	}
	return external{}, nil
}

func askOnce(ctx context.Context, h probe.Host, own netip.Addr, wait time.Duration) (external, error) {
	c, err := h.Dial(ctx, "udp", netip.AddrPortFrom(own, pcp).String())
	if err != nil {
		return external{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(wait)); err != nil {
		return external{}, err
	}
	if _, err := c.Write([]byte{0, 0}); err != nil { // version 0, external address request
		return external{}, err
	}
	b := make([]byte, 1100) // the most that a response of PCP has (RFC 6887 section 7)
	n, err := c.Read(b)
	if err != nil {
		return external{}, err
	}
	return parseExternal(b[:n])
}

// results are the result codes of NAT-PMP (RFC 6886 section 3.5).
var results = map[uint16]string{
	1: "unsupported version", 2: "not authorised", 3: "network failure: it has no external address that it takes for one of the Internet",
	4: "out of resources", 5: "unsupported opcode",
}

// parseExternal reads a response with the external address.
func parseExternal(b []byte) (external, error) {
	if len(b) < 8 || b[0] != 0 || b[1] != 128 {
		return external{}, errors.New("the answer is none of NAT-PMP")
	}
	if code := binary.BigEndian.Uint16(b[2:]); code != 0 {
		return external{Answered: true, Refused: cmp.Or(results[code], fmt.Sprintf("result code %d", code))}, nil
	}
	if len(b) < 12 {
		return external{}, errors.New("the answer ends before the address")
	}
	a := netip.AddrFrom4([4]byte(b[8:12]))
	if a.IsUnspecified() {
		return external{Answered: true, Refused: "it has no external address"}, nil
	}
	return external{Answered: true, Address: a.String()}, nil
}

// mappings are what hosts have been promised, and what the kernel leads on: as in
// "tcp/18080 to 192.168.1.50:8080", or for IPv6 "tcp to [2001:db8::50]:8080".
type mappings struct {
	Leases []string `json:"leases,omitempty"`
	Kernel []string `json:"kernel,omitempty"`
}

// mappingsOf reads the lease files, and the chains that the daemon fills: rules for the external
// interface, which is the question.
var mappingsOf = &probe.Probe[string, mappings]{Name: "miniupnpd.mappings", Look: lookMappings}

// lookMappings looks again when the two differ: a host may ask between the two looks.
func lookMappings(ctx context.Context, h probe.Host, external string) (mappings, error) {
	var m mappings
	for i := range 3 {
		if i > 0 {
			select {
			case <-ctx.Done():
				return m, ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
		}
		out, err := h.Run(ctx, "nft", "-j", "list", "table", "inet", tableName)
		if err != nil {
			return mappings{}, err
		}
		m = mappings{}
		if out.Exit == 0 { // else there is no table, and nothing is led on
			if m.Kernel, err = parseRules(out.Stdout, external); err != nil {
				return mappings{}, err
			}
		}
		for file, parse := range map[string]func(string) (string, error){leases: parseLease, leases6: parseLease6} {
			b, err := h.ReadFile(file)
			if errors.Is(err, fs.ErrNotExist) {
				continue // there has been no mapping
			}
			if err != nil {
				return mappings{}, err
			}
			for line := range strings.Lines(string(b)) {
				l, err := parse(strings.TrimSuffix(line, "\n"))
				if err != nil {
					return mappings{}, fmt.Errorf("%s: %w", file, err)
				}
				m.Leases = append(m.Leases, l)
			}
		}
		slices.Sort(m.Leases)
		slices.Sort(m.Kernel)
		if slices.Equal(m.Leases, m.Kernel) {
			break
		}
	}
	return m, nil
}

// parseLease reads a line of the lease file (lease_file_add of miniupnpd's upnpredirect.c):
// TCP:18080:192.168.1.50:8080:1796043355:description.
func parseLease(line string) (string, error) {
	f := strings.SplitN(line, ":", 6)
	if len(f) < 5 {
		return "", fmt.Errorf("%q is no lease", line)
	}
	return lease(f[0], f[1], f[2], f[3])
}

// parseLease6 reads a line of that for IPv6 (lease_file6_add of upnppinhole.c):
// TCP;2001:db8::50;8080;;0;1;1796043364;description.
func parseLease6(line string) (string, error) {
	f := strings.SplitN(line, ";", 8)
	if len(f) < 7 {
		return "", fmt.Errorf("%q is no lease", line)
	}
	return lease(f[0], "", f[1], f[2])
}

func lease(protocol, external, host, port string) (string, error) {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "", err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", err
	}
	if external != "" {
		external = "/" + external
	}
	return spell(strings.ToLower(protocol)+external, a, uint16(p)), nil
}

// spell is how a mapping is written.
func spell(what string, host netip.Addr, port uint16) string {
	return what + " to " + net.JoinHostPort(host.String(), strconv.Itoa(int(port)))
}

// A nftRule is a rule of the daemon's as nft -j lists it (libnftables-json(5)), as far as it is
// read: what it matches, which the daemon spells by offsets, and where it leads.
type nftRule struct {
	Chain string
	Expr  []struct {
		Match *struct {
			Left struct {
				Meta    *struct{ Key string }
				Payload *struct {
					Base, Protocol, Field string
					Offset, Len           int
				}
			}
			Right json.RawMessage
		}
		DNAT *struct {
			Addr string
			Port uint16
		}
	}
}

// A target is where a rule leads packets, or lets them.
type target struct {
	protocol router.IPProtocol
	host     netip.Addr
	port     uint16
}

// parseRules reads the mappings from a listing. One of IPv4 has two rules, one that leads there and
// one that lets pass; without the second, or for another interface, nothing gets there.
func parseRules(listing []byte, external string) ([]string, error) {
	var top struct{ Nftables []struct{ Rule *nftRule } }
	if err := json.Unmarshal(listing, &top); err != nil {
		return nil, fmt.Errorf("nft's listing: %w", err)
	}
	var out []string
	passes := map[target]bool{}
	type leads struct {
		to   target
		port uint16
	}
	var led []leads
	for _, o := range top.Nftables {
		if o.Rule == nil || o.Rule.Chain != admitted && o.Rule.Chain != mapped {
			continue
		}
		m, ok := o.Rule.read(external)
		switch {
		case !ok:
		case o.Rule.Chain == mapped:
			led = append(led, leads{m.to, m.port})
		case m.host.Is6():
			out = append(out, spell(m.protocol.String(), m.host, m.port))
		default:
			passes[target{m.protocol, m.host, m.port}] = true
		}
	}
	for _, l := range led {
		if passes[l.to] {
			out = append(out, spell(fmt.Sprintf("%s/%d", l.to.protocol, l.port), l.to.host, l.to.port))
		}
	}
	return out, nil
}

// matched is what a rule matches, and where it leads.
type matched struct {
	target
	to target
}

// The places of protocol and destination in the headers of IPv4 and IPv6, in bits.
const (
	protocol4, protocol6       = 72, 48
	destination4, destination6 = 128, 192
)

// read reads a rule for an interface.
func (r *nftRule) read(external string) (matched, bool) {
	var m matched
	there := false
	for _, e := range r.Expr {
		switch {
		case e.DNAT != nil:
			a, err := netip.ParseAddr(e.DNAT.Addr)
			if err != nil {
				return m, false
			}
			m.to = target{m.protocol, a, e.DNAT.Port}
		case e.Match == nil:
		case e.Match.Left.Meta != nil:
			var name string
			there = there || e.Match.Left.Meta.Key == "iif" && json.Unmarshal(e.Match.Right, &name) == nil && name == external
		case e.Match.Left.Payload != nil:
			p := e.Match.Left.Payload
			text := strings.Trim(string(e.Match.Right), `"`)
			switch {
			case p.Field == "dport":
				n, err := strconv.ParseUint(text, 10, 16)
				if err != nil {
					return m, false
				}
				m.port = uint16(n)
			case p.Offset == protocol4 || p.Offset == protocol6:
				n, err := strconv.ParseUint(text, 0, 8)
				if err != nil {
					return m, false
				}
				m.protocol = router.IPProtocol(n)
			case p.Offset == destination4 && p.Len == 32:
				n, err := strconv.ParseUint(text, 0, 32)
				if err != nil {
					return m, false
				}
				var b [4]byte
				binary.BigEndian.PutUint32(b[:], uint32(n))
				m.host = netip.AddrFrom4(b)
			case p.Offset == destination6 && p.Len == 128:
				n, ok := new(big.Int).SetString(text, 0)
				if !ok || n.BitLen() > 128 {
					return m, false
				}
				m.host = netip.AddrFrom16([16]byte(n.FillBytes(make([]byte, 16))))
			}
		}
	}
	m.to.protocol = m.protocol
	return m, there && m.port != 0
}
