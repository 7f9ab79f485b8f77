package observe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

func (l *looker) reaches(ctx context.Context) error {
	l.st.Reaches = ask(ctx, l, state.NeedReach, l.reach, func(why string) state.Reach { return state.Reach{Error: why} })
	return nil
}

// silence is what a closed port answers, so on a healthy router the whole time is always
// waited for. Nobody but this machine answers, from the kernel or what it has in memory,
// and is asked twice. Of TCP it is the kernel that answers, at once; of UDP it is a program,
// which may need longer on a router that has much to do (see attend).
var silence = []time.Duration{200 * time.Millisecond, 400 * time.Millisecond}

// strangers are hosts that nobody has, of the networks for documentation (RFC 5737).
// What the router answers goes no further than to a router that knows these.
var strangers = []netip.Addr{
	netip.AddrFrom4([4]byte{198, 51, 100, 0}), netip.AddrFrom4([4]byte{203, 0, 113, 0}), netip.AddrFrom4([4]byte{192, 0, 2, 0}),
}

// reach has a stranger's packet arrive on a link, for the router's own address there,
// and waits for what leaves for the stranger on any link.
//
// Silence is an answer only if one could have been heard. A packet that finds no
// route, a link without a carrier or a gateway that nobody has the MAC of is never
// sent: the first two are asked before, the last one after. An answer that waited for
// its neighbour has left an entry in the kernel's table, incomplete or failed, so
// then nothing is known. No entry at all means that nobody even tried to answer.
//
// A port that the router forwards is asked of the host behind it, on its wire.
func (l *looker) reach(ctx context.Context, n state.Need) (state.Reach, error) {
	name, k, err := parseKnock(n.Name)
	if err != nil {
		return state.Reach{}, err
	}
	link, err := openLink(name)
	if err != nil {
		return state.Reach{}, err
	}
	own, err := ownAddress(name)
	if err != nil {
		return state.Reach{}, err
	}
	back, err := findWayBack(own)
	if err != nil {
		return state.Reach{}, err
	}
	mine, err := allAddresses()
	if err != nil {
		return state.Reach{}, err
	}
	k.to = netip.AddrPortFrom(own, k.to.Port())
	k.fill(back.network, mine)
	w, err := openWire(link.Index, 0, []match{at(16, 4, binary.BigEndian.Uint32(k.from.Addr().AsSlice()))})
	if err != nil {
		return state.Reach{}, err
	}
	defer w.Close()
	packet, err := k.packet()
	if err != nil {
		return state.Reach{}, err
	}
	// A link without Ethernet's addresses, as of PPP, has zeros for its own.
	in := func(packet []byte) []byte { return frame(link.HardwareAddr, stranger(), packet) }
	l.announce(ctx, n.Text, k.from)
	var r state.Reach
	answer := func(b []byte) (ok bool) {
		r.Answer, ok = k.answer(b)
		return ok
	}
	knock := func(times []time.Duration) { r.Answered, err = w.exchange(ctx, in(packet), times, answer) }
	knock(silence)
	if err == nil && !r.Answered && back.stuck(k.from.Addr()) != nil {
		knock([]time.Duration{repeat, wait - repeat}) // the gateway may yet say its MAC
	}
	if err == nil && !r.Answered && k.proto == protoUDP {
		err = l.attend(ctx, k.to, func(d time.Duration) (bool, error) {
			var err error
			r.Answered, err = hear(ctx, w.tap, d, answer)
			return r.Answered, err
		})
	}
	if err == nil && !r.Answered {
		err = stayed(name, link)
	}
	switch {
	case err != nil:
		return state.Reach{}, err
	case !r.Answered && back.link != link.Index:
		// What comes in where its answers would not go out may have been dropped as spoofed
		// (RFC 3704), so silence says nothing of the port.
		other, err := net.InterfaceByIndex(back.link)
		if err != nil {
			return state.Reach{}, err
		}
		return state.Reach{Leaves: other.Name}, nil
	case !r.Answered:
		return r, back.stuck(k.from.Addr())
	case r.Answer == "SYN-ACK":
		// Should that fail, the kernel gives up by itself after a minute.
		_ = w.inject(in(k.reset()))
	}
	return r, nil
}

// knockSet is what may stand after nft add element.
var knockSet = regexp.MustCompile(`^(ip|inet) [A-Za-z_][\w-]* [A-Za-z_][\w-]*$`)

// announce tells the firewall's set of the stranger, so that the look itself does not
// make the counters and the log grow. A firewall that has no such set logs the knock.
func (l *looker) announce(ctx context.Context, set string, from netip.AddrPort) {
	nft, err := l.program("nft")
	if err != nil || !knockSet.MatchString(set) {
		return
	}
	args := append([]string{"add", "element"}, strings.Fields(set)...)
	_, _ = output(exec.CommandContext(ctx, nft, append(args, fmt.Sprintf("{ %s . %d }", from.Addr(), from.Port()))...))
}

// fill makes the stranger one that nobody else is at this moment: answers are told
// apart by it, and the kernel counts ICMP errors by whom they are for
// (Documentation/networking/ip-sysctl, icmp_ratelimit). It is none of the router's own
// addresses, which may be of the network: a packet from oneself that comes in from
// outside is dropped before anything looks at its port.
func (k *knock) fill(network netip.Addr, own map[netip.Addr]bool) {
	var b [9]byte
	_, _ = rand.Read(b[:]) // which does not fail
	a := network.As4()
	a[3] = 1 + b[0]%254
	for range 254 {
		if !own[netip.AddrFrom4(a)] {
			break
		}
		a[3] = 1 + a[3]%254
	}
	// Of the ephemeral ports (RFC 6335 section 6).
	k.from = netip.AddrPortFrom(netip.AddrFrom4(a), binary.BigEndian.Uint16(b[1:])|0xc000)
	k.seq, k.id = binary.BigEndian.Uint32(b[3:]), binary.BigEndian.Uint16(b[7:])
}

// ownAddress is the first address of a link that the world could send to.
func ownAddress(name string) (netip.Addr, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return netip.Addr{}, err
	}
	list, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok && a.Scope == unix.RT_SCOPE_UNIVERSE {
			return ip, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no IPv4 address", name)
}

// allAddresses are this machine's own of IPv4, on whatever link.
func allAddresses() (map[netip.Addr]bool, error) {
	list, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	own := map[netip.Addr]bool{}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok {
			own[ip] = true
		}
	}
	return own, nil
}

// A wayBack is how an answer gets to a stranger.
type wayBack struct {
	network netip.Addr // the stranger's
	link    int
	arp     bool   // the link asks for neighbours' MACs
	gateway net.IP // nil if the stranger himself is the neighbour
}

// findWayBack finds a network of strangers behind a gateway. If there is none, as on
// a line whose other end answers ARP for everybody, one that is on a link will do.
func findWayBack(own netip.Addr) (wayBack, error) {
	var near *wayBack
	var errs error
	for _, s := range strangers {
		w, err := way(own, s)
		switch {
		case err != nil:
			errs = errors.Join(errs, err)
		case w.gateway != nil || !w.arp:
			return w, nil
		case near == nil:
			near = &w
		}
	}
	if near == nil {
		return wayBack{}, fmt.Errorf("no way back to a stranger: %w", errs)
	}
	return *near, nil
}

func way(own, to netip.Addr) (wayBack, error) {
	routes, err := netlink.RouteGetWithOptions(to.Next().AsSlice(), &netlink.RouteGetOptions{SrcAddr: own.AsSlice()})
	if err == nil && len(routes) == 0 {
		err = errors.New("no route")
	}
	if err != nil {
		return wayBack{}, fmt.Errorf("to %s/24: %w", to, err)
	}
	r := routes[0]
	link, err := netlink.LinkByIndex(r.LinkIndex)
	if err == nil {
		err = carries(link.Attrs())
	}
	if err != nil {
		return wayBack{}, fmt.Errorf("to %s/24: %w", to, err)
	}
	w := wayBack{network: to, link: r.LinkIndex, arp: link.Attrs().RawFlags&unix.IFF_NOARP == 0, gateway: r.Gw}
	if via, ok := r.Via.(*netlink.Via); ok {
		w.gateway = via.Addr
	}
	return w, nil
}

// stuck tells whether an answer may have been on its way to the stranger and not have
// got out.
func (w wayBack) stuck(stranger netip.Addr) error {
	if !w.arp {
		return nil
	}
	neighbour, family := w.gateway, netlink.FAMILY_V4
	if neighbour == nil {
		neighbour = stranger.AsSlice()
	}
	if neighbour.To4() == nil { // RFC 8950
		family = netlink.FAMILY_V6
	}
	list, err := netlink.NeighList(w.link, family)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.IP.Equal(neighbour) && n.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) != 0 {
			return fmt.Errorf("%s, the way back, does not say its MAC, so no answer could leave", neighbour)
		}
	}
	return nil
}
