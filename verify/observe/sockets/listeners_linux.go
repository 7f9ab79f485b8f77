package sockets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// A waiting is a socket of /proc/net that waits for packets or connections.
type waiting struct {
	state.Listener
	inode uint64
}

// Listeners are the sockets that wait for packets or connections, with the programs that have
// them.
func Listeners(ctx context.Context, r root.Root) ([]state.Listener, error) {
	all := func() ([]waiting, error) { return waitingIn(r) }
	list, err := all()
	if err != nil {
		return nil, err
	}
	programs := map[uint64]string{} // by the socket's inode
	for _, w := range list {
		programs[w.inode] = ""
	}
	refused, err := owners(ctx, r, programs)
	if err != nil {
		return nil, err
	}
	left, err := left(ctx, programs, all)
	if err != nil {
		return nil, err
	}
	out := []state.Listener{}
	for _, w := range list {
		w.Program = programs[w.inode]
		switch {
		case w.Program == "" && !left[w.inode]:
			continue
		case w.Program == "" && refused != nil:
			// The kernel's own, as WireGuard's, or a process's that may not be looked at.
			return nil, fmt.Errorf("whose is %s port %d: %w", w.Protocol, w.Port, refused)
		}
		out = append(out, w.Listener)
	}
	slices.SortFunc(out, func(a, b state.Listener) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Address, b.Address), cmp.Compare(a.Program, b.Program))
	})
	// Workers of one daemon share a socket's address (SO_REUSEPORT).
	return slices.Compact(out), nil
}

// waitingIn are the sockets that wait for packets or connections now.
func waitingIn(r root.Root) ([]waiting, error) {
	var list []waiting
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, err := r.Read("/proc/net/" + name)
		if errors.Is(err, os.ErrNotExist) && strings.HasSuffix(name, "6") {
			continue // ipv6.disable=1
		}
		if err != nil {
			return nil, err
		}
		sockets, err := parseSockets(text)
		if err != nil {
			return nil, fmt.Errorf("/proc/net/%s: %w", name, err)
		}
		protocol := strings.TrimSuffix(name, "6")
		for _, s := range sockets {
			if s.waits(protocol) {
				list = append(list, waiting{state.Listener{Protocol: protocol, Address: s.local.Addr().String(), Port: int(s.local.Port())}, s.inode})
			}
		}
	}
	return list, nil
}

// lingers is how long a socket without an owner may take to go away.
var lingers = []time.Duration{0, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond}

// left are the sockets without an owner that stay, which are the kernel's own. A resolver
// opens one for a question and closes it after the answer. It may have gone since it was
// seen, or be about to: close(2) first takes it from its program and removes it then, and
// in between the program may have to wait for a processor.
func left(ctx context.Context, programs map[uint64]string, waiting func() ([]waiting, error)) (map[uint64]bool, error) {
	left := map[uint64]bool{}
	for inode, program := range programs {
		if program == "" {
			left[inode] = true
		}
	}
	for _, d := range lingers {
		if len(left) == 0 {
			break
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		list, err := waiting()
		if err != nil {
			return nil, err
		}
		still := map[uint64]bool{}
		for _, w := range list {
			still[w.inode] = true
		}
		maps.DeleteFunc(left, func(inode uint64, _ bool) bool { return !still[inode] })
	}
	return left, nil
}

// owners finds which program has each of the sockets (proc_pid_fd(5)). Processes end
// while it looks; that is no error. A process that may not be looked at is refused.
func owners(ctx context.Context, r root.Root, programs map[uint64]string) (refused, err error) {
	left := len(programs)
	return eachSocket(ctx, r, func(dir string, inode uint64) bool {
		if owner, listens := programs[inode]; listens && owner == "" {
			if comm, err := r.Line(dir + "/comm"); err == nil && comm != "" {
				programs[inode] = comm
				left--
			}
		}
		return left > 0
	})
}

// eachSocket hands out the sockets of all processes, the process's folder and the socket's
// inode, until found returns false.
func eachSocket(ctx context.Context, r root.Root, found func(dir string, inode uint64) bool) (refused, err error) {
	processes, err := os.ReadDir(r.Path("/proc"))
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		if _, err := strconv.ParseUint(p.Name(), 10, 32); err != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir := "/proc/" + p.Name()
		links, err := os.ReadDir(r.Path(dir + "/fd"))
		if errors.Is(err, fs.ErrPermission) {
			refused = err
		}
		for _, fd := range links {
			target, err := os.Readlink(r.Path(dir + "/fd/" + fd.Name()))
			if errors.Is(err, fs.ErrPermission) { // as the folder may be listed by its owner
				refused = err
				break
			}
			if inode, ok := socketInode(target); ok && !found(dir, inode) {
				return refused, nil
			}
		}
	}
	return refused, nil
}

// socketInode reads socket:[1234].
func socketInode(target string) (uint64, bool) {
	n, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, false
	}
	n, ok = strings.CutSuffix(n, "]")
	inode, err := strconv.ParseUint(n, 10, 64)
	return inode, ok && err == nil
}
