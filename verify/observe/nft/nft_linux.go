package nft

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// outputLimit is several times what nft prints for 10,000 rules.
const outputLimit = 64 << 20

// Tables are the names of all tables: "inet nbr". The program is nft itself.
func Tables(ctx context.Context, program string) ([]string, error) {
	out, err := output(exec.CommandContext(ctx, program, "-j", "list", "tables"))
	if err != nil {
		return nil, err
	}
	return parseTables(out)
}

// Ruleset is a table as it is, and as the text of the need would make it, or else
// [root.ErrNotThere]. It compares nothing itself. It lets the same nft read and list both: nft
// sorts sets, merges what overlaps and names numbers in its own way, which changes with its
// version.
func Ruleset(ctx context.Context, program string, n state.Need) (state.Ruleset, error) {
	r := state.Ruleset{Of: n.Hash()}
	if !table.MatchString(n.Name) {
		return r, errors.New("not the name of a table")
	}
	var errWant error
	var wg sync.WaitGroup
	wg.Go(func() { r.Want, errWant = throwaway(ctx, program, n) })
	objects, err := listing(exec.CommandContext(ctx, program, "-j", "list", "table", n.Name))
	wg.Wait()
	if err != nil {
		// The words of the message depend on nft's version.
		if names, err2 := Tables(ctx, program); err2 == nil && !slices.Contains(names, n.Name) {
			return r, root.ErrNotThere
		}
		return r, err
	}
	var errGot error
	r.Drops, err = drops(objects)
	r.Got, errGot = canonical(objects)
	return r, errors.Join(err, errGot, errWant)
}

// table is what may stand after nft list table. nft reads its arguments as one
// text, in which a semicolon would start another command.
var table = regexp.MustCompile(`^(ip|ip6|inet|arp|bridge|netdev) ([A-Za-z_][\w./-]*)$`)

func listing(cmd *exec.Cmd) ([]object, error) {
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	return parseListing(out)
}

// loadAndList are two runs of nft, since within one it does not read back from the
// kernel what it has just sent there.
const loadAndList = `"$0" -f - && exec "$0" -j -s list table "$1"`

// throwaway lists a table's text after a kernel has had it, in a network namespace
// that ends with the child (clone(2), CLONE_NEWNET). Unsharing a thread of this
// process would do as well, until the thread is its first: /proc/self/net is that
// one's. Who may not make a network namespace tries to be root of a user namespace.
func throwaway(ctx context.Context, nft string, n state.Need) ([]string, error) {
	attempt := func(attr *syscall.SysProcAttr) ([]string, error) {
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", loadAndList, nft, n.Name)
		cmd.Stdin = strings.NewReader(n.Text)
		cmd.SysProcAttr = attr
		objects, err := listing(cmd)
		if err != nil {
			return nil, err
		}
		return canonical(objects)
	}
	out, err := attempt(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
	if errors.Is(err, syscall.EPERM) {
		var err2 error
		out, err2 = attempt(&syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		})
		if err = err2; err2 != nil {
			err = fmt.Errorf("in a throwaway network namespace: %w", err2)
		}
	}
	return out, err
}

// output runs a program to its end. The error has what it said.
func output(cmd *exec.Cmd) ([]byte, error) {
	out, said := bounded{most: outputLimit}, bounded{most: 1 << 16}
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	// What it leaves behind may keep the pipes open.
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if out.err != nil { // more to the point than how the program took it
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), out.err)
	}
	if err != nil {
		first, _, _ := strings.Cut(string(said.b), "\n")
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, first)
	}
	return out.b, nil
}

// bounded keeps what is written to it, up to a limit. It is no bytes.Buffer, whose
// ReadFrom knows none.
type bounded struct {
	b    []byte
	most int
	err  error
}

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > w.most {
		w.err = fmt.Errorf("it wrote more than %d bytes", w.most)
		return 0, w.err
	}
	w.b = append(w.b, p...)
	return len(p), nil
}
