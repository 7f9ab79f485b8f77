package sockets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A program that gets no processor is silent, and not closed. So it is asked for until it
// has had one for long enough; after this time nothing is known of it.
const (
	attention = 5 * time.Second
	glance    = 50 * time.Millisecond
)

// An audience are the programs that a question may have been handed to.
type audience struct {
	root     root.Root
	protocol string // tcp, udp, or packet for those that take frames from a link themselves
	to       netip.AddrPort
	from     netip.AddrPort    // the other end of a connection with them, if there is one
	link     int               // of packet
	ran      map[string]uint64 // by thread: ticks when it was first seen with nothing left to read
}

// newAudience are those behind a port.
func newAudience(r root.Root, protocol string, to netip.AddrPort) *audience {
	return &audience{root: r, protocol: protocol, to: to, ran: map[string]uint64{}}
}

// Attend gives the programs behind a socket the time to answer what has arrived on a link:
// hear is to listen for an answer, and tells whether there was one. An error says that none
// has answered and what keeps it from that.
func Attend(ctx context.Context, r root.Root, link int, to probe.Socket, hear func(time.Duration) (bool, error)) error {
	a := newAudience(r, to.Protocol, to.Addr)
	a.link = link
	return a.attend(ctx, hear)
}

func (a *audience) String() string {
	if a.protocol == "packet" {
		return "a program that takes packets from the link"
	}
	return fmt.Sprintf("%s/%d", a.protocol, a.to.Port())
}

// attend gives an audience the time to answer what has arrived: hear is to listen for an
// answer, and tells whether there was one. When a frame has arrived (see package inject)
// the kernel has put it into a socket's queue, or dropped it. A program that has read it and
// sleeps, or has run for long enough since, does not answer any more. Its processes are looked
// at one after the other, and while sshd hands a connection on each may sleep when its turn
// comes: all of them did at once if none has run until the next look. Those that others ask, too,
// are never at rest, and silent when the time is over.
//
// Of TCP it is the kernel that answers, unless as many connections wait to be accepted as
// the program has room for: then it drops what asks for another one (tcp_conn_request in
// net/ipv4/tcp_input.c), as a firewall would. So hear is to ask again.
func (a *audience) attend(ctx context.Context, hear func(time.Duration) (bool, error)) error {
	before := ""
	for deadline := time.Now().Add(attention); ; {
		why, runs, err := a.busy(ctx)
		if err != nil {
			return fmt.Errorf("whether %s only waits for a processor: %w", a, err)
		}
		answered, err := hear(glance)
		over := time.Now().After(deadline)
		switch {
		case answered || err != nil || why == "" && (over || runs == "" || runs == before):
			return err
		case over:
			return fmt.Errorf("%s has not answered yet: %s", a, why)
		}
		before = runs
	}
}

// busy says what keeps the audience from being silent for good, if anything does, or else which
// threads it has and how many times each has run.
func (a *audience) busy(ctx context.Context) (why, runs string, err error) {
	inodes, why, err := a.sockets()
	switch {
	case err != nil:
		return "", "", err
	case why != "":
		clear(a.ran)
		return why, "", nil
	case len(inodes) == 0:
		return "", "", nil
	}
	holders, err := a.holders(ctx, inodes)
	if err != nil {
		return "", "", err
	}
	runs = fmt.Sprintln(inodes)
	for _, dir := range holders {
		tasks, err := os.ReadDir(a.root.Path(dir + "/task"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended, before or while its folder was read
		} else if err != nil {
			return "", "", err
		}
		for _, task := range tasks {
			name := dir + "/task/" + task.Name()
			b, err := a.root.Read(name + "/stat")
			if err != nil {
				continue // it has ended
			}
			t, err := parseThread(b)
			if err != nil {
				return "", "", fmt.Errorf("%s/stat: %w", name, err)
			}
			if _, seen := a.ran[name]; !seen {
				a.ran[name] = t.ran
			}
			if !t.done(a.ran[name]) {
				return fmt.Sprintf("process %s has had no processor for long enough", dir[len("/proc/"):]), "", nil
			}
			status, err := a.root.Read(name + "/status")
			if err != nil {
				continue // it has ended
			}
			runs += name + switches(status)
		}
	}
	return "", runs, nil
}

// sockets are those that a question may have been put into, if their programs have read
// everything, or else what waits in them.
func (a *audience) sockets() (inodes []uint64, why string, err error) {
	if a.protocol == "packet" {
		text, err := a.root.Read("/proc/net/packet")
		if err != nil {
			return nil, "", err
		}
		inodes, unread, err := parsePacketSockets(text, a.link)
		if err != nil {
			return nil, "", fmt.Errorf("/proc/net/packet: %w", err)
		}
		return inodes, unreadBytes(unread), nil
	}
	var unread uint64
	for _, name := range []string{a.protocol, a.protocol + "6"} {
		text, err := a.root.Read("/proc/net/" + name)
		if errors.Is(err, os.ErrNotExist) && strings.HasSuffix(name, "6") {
			continue // ipv6.disable=1
		} else if err != nil {
			return nil, "", err
		}
		list, err := parseSockets(text)
		if err != nil {
			return nil, "", fmt.Errorf("/proc/net/%s: %w", name, err)
		}
		for _, s := range list {
			if a.from.IsValid() && s.local == a.to && s.remote == a.from {
				if s.inode == 0 { // as long as accept(2) has not returned it
					return nil, "the connection waits to be accepted", nil
				}
				return []uint64{s.inode}, unreadBytes(s.unread), nil
			}
			if s.waits(a.protocol) && s.local.Port() == a.to.Port() && (s.local.Addr().IsUnspecified() || s.local.Addr() == a.to.Addr()) {
				inodes = append(inodes, s.inode)
				unread += s.unread
			}
		}
	}
	switch {
	case a.from.IsValid():
		return nil, "", nil // it has been closed, or leads elsewhere
	case a.protocol == "udp":
		return inodes, unreadBytes(unread), nil
	case unread > 0:
		return nil, "its connections wait to be accepted", nil
	}
	return nil, "", nil // there is room for another one, for which no program has to run
}

func unreadBytes(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes wait to be read", n)
}

// holders are the folders in /proc of the processes that have one of the sockets.
func (a *audience) holders(ctx context.Context, inodes []uint64) ([]string, error) {
	var dirs []string
	own := fmt.Sprintf("/proc/%d", os.Getpid()) // which has the processor
	found := map[uint64]bool{}
	refused, err := eachSocket(ctx, a.root, func(dir string, inode uint64) bool {
		if slices.Contains(inodes, inode) {
			found[inode] = true
			if dir != own {
				dirs = append(dirs, dir)
			}
		}
		return true
	})
	if err == nil && len(found) < len(inodes) {
		err = refused
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), err
}
