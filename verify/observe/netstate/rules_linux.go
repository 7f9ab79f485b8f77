package netstate

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// Rules are the routing rules, without the kernel's own. They are read from the messages
// themselves: the library has no place for l3mdev, nor for an interface that is gone (see dump).
func Rules(ctx context.Context) ([]state.Rule, error) {
	out := []state.Rule{}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		var msgs [][]byte
		err := again(ctx, func() (err error) {
			req := nl.NewNetlinkRequest(unix.RTM_GETRULE, unix.NLM_F_DUMP)
			req.AddData(nl.NewIfInfomsg(family))
			msgs, err = req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWRULE)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, m := range msgs {
			r, err := parseRule(m)
			if err != nil {
				return nil, err
			}
			own := func(o state.Rule) bool { return o.Priority == r.Priority && o.Text == r.Text }
			if !slices.ContainsFunc(ownRules, own) {
				out = append(out, r)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return out, nil
}

// ownRules are the ones that the kernel makes (ip-rule(8)).
var ownRules = []state.Rule{
	{Priority: 0, Text: "from all lookup local"},
	{Priority: 32766, Text: "from all lookup main"},
	{Priority: 32767, Text: "from all lookup default"},
}

// From include/uapi/linux/fib_rules.h; x/sys/unix does not have them.
const (
	fraL3MDev   = 19
	fraProtocol = 21
	fraInvert   = 0x2
	fraIifGone  = 0x8
	fraOifGone  = 0x10
	frActNop    = 3
	frActBlack  = 6
	frActUnrea  = 7
	frActProhib = 8
)

// parseRule writes a rule as print_rule in iproute2's ip/iprule.c does.
func parseRule(m []byte) (state.Rule, error) {
	if len(m) < unix.SizeofRtMsg {
		return state.Rule{}, fmt.Errorf("a rule of %d bytes", len(m))
	}
	msg := nl.DeserializeRtMsg(m)
	attrs := ruleAttrs{}
	if err := attributes(m[msg.Len():], func(attr uint16, v []byte) { attrs[attr] = v }); err != nil {
		return state.Rule{}, err
	}

	var w strings.Builder
	word := func(format string, args ...any) {
		if w.Len() > 0 {
			w.WriteByte(' ')
		}
		fmt.Fprintf(&w, format, args...)
	}
	if msg.Flags&fraInvert != 0 {
		word("not")
	}
	word("from %s", attrs.prefix(nl.FRA_SRC, msg.Src_len, "all"))
	if to := attrs.prefix(nl.FRA_DST, msg.Dst_len, ""); to != "" {
		word("to %s", to)
	}
	if msg.Tos != 0 {
		word("tos 0x%02x", msg.Tos)
	}
	mark, hasMark := attrs.u32(nl.FRA_FWMARK)
	if mask, ok := attrs.u32(nl.FRA_FWMASK); ok && mask != 0xffffffff {
		word("fwmark %#x/%#x", mark, mask)
	} else if hasMark {
		word("fwmark %#x", mark)
	}
	for _, dev := range []struct {
		attr uint16
		word string
		gone uint32
	}{{nl.FRA_IIFNAME, "iif", fraIifGone}, {nl.FRA_OIFNAME, "oif", fraOifGone}} {
		if name, ok := attrs[dev.attr]; ok {
			word("%s %s", dev.word, strings.TrimRight(string(name), "\x00"))
			if msg.Flags&dev.gone != 0 {
				word("[detached]")
			}
		}
	}
	if v := attrs[fraL3MDev]; len(v) > 0 && v[0] != 0 {
		word("lookup [l3mdev-table]")
	}
	if v := attrs[nl.FRA_UID_RANGE]; len(v) == 8 {
		word("uidrange %d-%d", binary.NativeEndian.Uint32(v), binary.NativeEndian.Uint32(v[4:]))
	}
	if v := attrs[nl.FRA_IP_PROTO]; len(v) > 0 {
		word("ipproto %s", ipProto(v[0]))
	}
	attrs.ports(word, "sport", nl.FRA_SPORT_RANGE)
	attrs.ports(word, "dport", nl.FRA_DPORT_RANGE)
	if v := attrs[nl.FRA_TUN_ID]; len(v) == 8 {
		word("tun_id %d", binary.BigEndian.Uint64(v))
	}

	table := uint32(msg.Table)
	if v, ok := attrs.u32(unix.RTA_TABLE); ok {
		table = v
	}
	if table != 0 {
		word("lookup %s", tableName(table))
		for _, s := range []struct {
			attr uint16
			word string
		}{{nl.FRA_SUPPRESS_PREFIXLEN, "suppress_prefixlength"}, {nl.FRA_SUPPRESS_IFGROUP, "suppress_ifgroup"}} {
			if v, ok := attrs.u32(s.attr); ok && v != 0xffffffff {
				word("%s %d", s.word, v)
			}
		}
	}
	if v, ok := attrs.u32(nl.FRA_FLOW); ok && v != 0 {
		word("realms %d", v)
	}
	switch msg.Type {
	case nl.FR_ACT_GOTO:
		target, _ := attrs.u32(nl.FRA_GOTO)
		word("goto %d", target)
	case frActNop:
		word("nop")
	case frActBlack:
		word("blackhole")
	case frActUnrea:
		word("unreachable")
	case frActProhib:
		word("prohibit")
	}
	priority, _ := attrs.u32(nl.FRA_PRIORITY)
	rule := state.Rule{Priority: int(priority), Family: "ipv4", Text: w.String()}
	if msg.Family == unix.AF_INET6 {
		rule.Family = "ipv6"
	}
	if v := attrs[fraProtocol]; len(v) > 0 && v[0] != unix.RTPROT_UNSPEC {
		rule.Proto = state.RouteProtocolName(v[0])
	}
	return rule, nil
}

// ruleAttrs are the attributes of a rule by FRA_*.
type ruleAttrs map[uint16][]byte

func (a ruleAttrs) u32(attr uint16) (uint32, bool) {
	v := a[attr]
	return u32(v), len(v) == 4
}

func (a ruleAttrs) prefix(attr uint16, bits uint8, none string) string {
	ip, ok := netip.AddrFromSlice(a[attr])
	switch {
	case !ok && bits == 0:
		return none
	case !ok:
		return fmt.Sprintf("0/%d", bits)
	case int(bits) == ip.BitLen():
		return ip.String()
	}
	return ip.String() + "/" + strconv.Itoa(int(bits))
}

func (a ruleAttrs) ports(word func(string, ...any), name string, attr uint16) {
	v := a[attr]
	if len(v) != 4 {
		return
	}
	from, to := binary.NativeEndian.Uint16(v), binary.NativeEndian.Uint16(v[2:])
	if from == to {
		word("%s %d", name, from)
	} else {
		word("%s %d-%d", name, from, to)
	}
}

// ipProto is as in protocols(5), for those that have ports.
func ipProto(n byte) string {
	names := map[byte]string{unix.IPPROTO_ICMP: "icmp", unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_GRE: "gre", unix.IPPROTO_ESP: "esp", unix.IPPROTO_ICMPV6: "ipv6-icmp", unix.IPPROTO_SCTP: "sctp"}
	return cmp.Or(names[n], "ipproto-"+strconv.Itoa(int(n)))
}
