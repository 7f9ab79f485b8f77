// Package sockets looks at the sockets of a machine and the processes that have them: which
// wait for packets or connections, and whether one that is silent has had a processor.
package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A socket is a line of /proc/net/tcp and its kin (proc_net(5)).
type socket struct {
	local, remote netip.AddrPort
	state         uint64
	inode         uint64
	// unread are the bytes in the queue, with what the kernel adds to each packet; of one
	// that listens, the connections that wait to be accepted.
	unread uint64
}

// States of include/net/tcp_states.h. A datagram socket that is not connected is
// closed, one that is has the state of an established connection.
const (
	tcpClose  = 7
	tcpListen = 10
)

// parseSockets reads /proc/net/{tcp,tcp6,udp,udp6}.
func parseSockets(b []byte) ([]socket, error) {
	var out []socket
	n := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if n++; n == 1 {
			if len(f) < 2 || f[0] != "sl" || f[1] != "local_address" {
				return nil, errors.New("no heading")
			}
			continue
		}
		s, err := parseSocket(f)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, s)
	}
	if n == 0 {
		return nil, errors.New("no heading")
	}
	return out, nil
}

func parseSocket(f []string) (s socket, err error) {
	if len(f) < 10 {
		return s, errors.New("too short")
	}
	if s.local, err = parseHexAddr(f[1]); err != nil {
		return s, err
	}
	if s.remote, err = parseHexAddr(f[2]); err != nil {
		return s, err
	}
	if s.state, err = strconv.ParseUint(f[3], 16, 8); err != nil {
		return s, fmt.Errorf("state: %w", err)
	}
	if s.inode, err = strconv.ParseUint(f[9], 10, 64); err != nil {
		return s, fmt.Errorf("inode: %w", err)
	}
	_, unread, _ := strings.Cut(f[4], ":")
	if s.unread, err = strconv.ParseUint(unread, 16, 64); err != nil {
		return s, fmt.Errorf("queue: %w", err)
	}
	return s, nil
}

// parseHexAddr reads 0100007F:0035. The kernel prints the address as numbers of 32
// bits in its own byte order (net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c), the port as
// what it is.
func parseHexAddr(text string) (netip.AddrPort, error) {
	hex, port, ok := strings.Cut(text, ":")
	p, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || len(hex) != 8 && len(hex) != 32 {
		return netip.AddrPort{}, fmt.Errorf("%.60q is no address", text)
	}
	var b []byte
	for ; hex != ""; hex = hex[8:] {
		v, err := strconv.ParseUint(hex[:8], 16, 32)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("%.60q is no address", text)
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(v))
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), nil
}

// waits tells whether it waits for packets or connections from any address.
func (s socket) waits(protocol string) bool {
	if protocol == "tcp" {
		return s.state == tcpListen
	}
	return s.state == tcpClose && s.remote.Port() == 0 && s.local.Port() != 0
}

// parsePacketSockets reads /proc/net/packet (packet_seq_show in net/packet/af_packet.c): the
// sockets that take frames from a link, or from all, and what is in their queues.
func parsePacketSockets(b []byte, link int) (inodes []uint64, unread uint64, err error) {
	n := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if n++; n == 1 {
			if len(f) == 0 || f[0] != "sk" {
				return nil, 0, errors.New("no heading")
			}
			continue
		}
		if len(f) < 9 {
			return nil, 0, fmt.Errorf("line %d: too short", n)
		}
		var v [3]uint64 // link, bytes, inode
		for i, field := range []string{f[4], f[6], f[8]} {
			if v[i], err = strconv.ParseUint(field, 10, 64); err != nil {
				return nil, 0, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if v[0] == 0 || v[0] == uint64(link) {
			inodes, unread = append(inodes, v[2]), unread+v[1]
		}
	}
	if n == 0 {
		return nil, 0, errors.New("no heading")
	}
	return inodes, unread, nil
}
