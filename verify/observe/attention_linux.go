package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"time"
)

// A program that gets no processor is silent, and not closed. So it is asked for until it
// has had one for long enough; after this time nothing is known of it.
const (
	attention = 5 * time.Second
	glance    = 50 * time.Millisecond
)

// An audience are the programs that a datagram may have been handed to.
type audience struct {
	l   *looker
	to  netip.AddrPort
	ran map[string]uint64 // by thread: ticks when it was first seen with nothing left to read
}

// attend gives the programs behind a UDP port the time to answer what has arrived there:
// hear is to listen for an answer, and tells whether there was one. When a frame has arrived
// (see [wire.inject]) the kernel has put it into a socket's queue, or dropped it. Who has
// read it and sleeps, or has run for long enough since, does not answer any more.
func (l *looker) attend(ctx context.Context, to netip.AddrPort, hear func(time.Duration) (bool, error)) error {
	a := &audience{l, to, map[string]uint64{}}
	for deadline := time.Now().Add(attention); ; {
		why, err := a.busy(ctx)
		if err != nil {
			return fmt.Errorf("whether udp/%d only waits for a processor: %w", to.Port(), err)
		}
		answered, err := hear(glance)
		switch {
		case answered || err != nil || why == "":
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("udp/%d has not answered yet: %s", to.Port(), why)
		}
	}
}

// busy says what keeps the audience from being silent for good, if anything does.
func (a *audience) busy(ctx context.Context) (string, error) {
	inodes, unread, err := a.sockets()
	switch {
	case err != nil || len(inodes) == 0:
		return "", err
	case unread > 0:
		clear(a.ran)
		return fmt.Sprintf("%d bytes wait to be read", unread), nil
	}
	holders, err := a.holders(ctx, inodes)
	if err != nil {
		return "", err
	}
	for _, dir := range holders {
		tasks, err := os.ReadDir(a.l.path(dir + "/task"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", err
		}
		for _, task := range tasks {
			name := dir + "/task/" + task.Name()
			b, err := a.l.read(name + "/stat")
			if err != nil {
				continue // it has ended
			}
			t, err := parseThread(b)
			if err != nil {
				return "", fmt.Errorf("%s/stat: %w", name, err)
			}
			if _, seen := a.ran[name]; !seen {
				a.ran[name] = t.ran
			}
			if !t.done(a.ran[name]) {
				return fmt.Sprintf("process %s has had no processor for long enough", dir[len("/proc/"):]), nil
			}
		}
	}
	return "", nil
}

// sockets are those that a datagram to the port may have been put into, and how much is in
// their queues.
func (a *audience) sockets() (inodes []uint64, unread uint64, err error) {
	for _, name := range []string{"udp", "udp6"} {
		text, err := a.l.read("/proc/net/" + name)
		if errors.Is(err, os.ErrNotExist) && name == "udp6" {
			continue // ipv6.disable=1
		} else if err != nil {
			return nil, 0, err
		}
		list, err := parseSockets(text)
		if err != nil {
			return nil, 0, fmt.Errorf("/proc/net/%s: %w", name, err)
		}
		for _, s := range list {
			if s.waits("udp") && s.local.Port() == a.to.Port() && (s.local.Addr().IsUnspecified() || s.local.Addr() == a.to.Addr()) {
				inodes = append(inodes, s.inode)
				unread += s.unread
			}
		}
	}
	return inodes, unread, nil
}

// holders are the folders in /proc of the processes that have one of the sockets.
func (a *audience) holders(ctx context.Context, inodes []uint64) ([]string, error) {
	var dirs []string
	found := map[uint64]bool{}
	refused, err := a.l.eachSocket(ctx, func(dir string, inode uint64) bool {
		if slices.Contains(inodes, inode) {
			found[inode] = true
			dirs = append(dirs, dir)
		}
		return true
	})
	if err == nil && len(found) < len(inodes) {
		err = refused
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), err
}
