package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/inject"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/observe/sockets"
	"github.com/nbr-dev/nbr/verify/observe/wireless"
	"github.com/nbr-dev/nbr/verify/probe"
)

// machine is this machine as probes see it.
type machine struct {
	look context.Context
	root root.Root
	bare bool
}

// New is this machine as probes see it, in a look that ends with the context: a question may
// have less time, but what is silent for want of a processor is waited for until then. A bare
// one takes the capabilities that this process was lent from what it runs.
func New(look context.Context, r root.Root, bare bool) probe.Host { return machine{look, r, bare} }

// dialTime is how long a connection may take. A daemon of this machine takes it in
// milliseconds.
const dialTime = 2 * time.Second

// answerTime is how long reading and writing may take after that, unless the probe sets a deadline of
// its own: one that sets none must not hold the look up.
const answerTime = 10 * time.Second

func (h machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	until := time.Now().Add(dialTime)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	c, err := sockets.Dial(h.look, h.root, network, address, until)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Exchange asks by a frame on a link.
func (h machine) Exchange(ctx context.Context, x probe.Exchange) (bool, error) {
	return inject.Exchange(ctx, x, func(ctx context.Context, link int, to probe.Socket, hear func(time.Duration) (bool, error)) error {
		return sockets.Attend(ctx, h.root, link, to, hear)
	})
}

// Way asks the kernel how packets get to a host.
func (h machine) Way(_ context.Context, link string, mark uint32, to netip.Addr) (probe.Way, error) {
	return inject.Way(link, mark, to)
}

// Radio asks nl80211.
func (h machine) Radio(_ context.Context, link string) (probe.Radio, error) {
	return wireless.Radio(link)
}

func (h machine) ReadFile(name string) ([]byte, error) {
	f, err := h.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return root.ReadAll(f, probe.OutputLimit)
}

// Run runs a program in a process group that is killed as a whole.
func (h machine) Run(ctx context.Context, program string, args ...string) (probe.Output, error) {
	path, err := h.root.Program(program)
	if err != nil {
		return probe.Output{}, err
	}
	out := head{most: probe.OutputLimit}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = program
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH") + ":" + h.root.Path(root.SystemPath)}
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// What it leaves behind may keep the pipe open.
	cmd.WaitDelay = time.Second
	if err := h.start(cmd); err != nil {
		return probe.Output{}, fmt.Errorf("%s: %w", program, err)
	}
	err = cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) { // the program itself has ended well
		_ = cmd.Cancel()
		err = nil
	}
	o := probe.Output{Stdout: out.b}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return probe.Output{}, fmt.Errorf("%s took too long", program)
	case errors.As(err, &exit) && exit.Exited():
		o.Exit = exit.ExitCode()
	case err != nil:
		return probe.Output{}, fmt.Errorf("%s: %w", program, err)
	}
	if out.cut {
		return o, fmt.Errorf("%s: %w", program, probe.ErrOutput)
	}
	return o, nil
}

// start starts a command. A bare machine first gives up the capabilities that a unit of
// systemd has lent this process (capabilities(7), ambient set): a check's author wants to
// know something, not to read all secrets. Root stays root. The set is the thread's, which
// ends with the goroutine since it is never unlocked.
func (h machine) start(cmd *exec.Cmd) error {
	if !h.bare {
		return cmd.Start()
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	return <-started
}

// head keeps the beginning of what is written to it and takes the rest, so that the
// program does not end for a pipe that is closed.
type head struct {
	b    []byte
	most int
	cut  bool
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.most-len(h.b))
	h.b = append(h.b, p[:n]...)
	h.cut = h.cut || n < len(p)
	return len(p), nil
}
