package observe

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

const (
	// commandTime is for a command whose block names no time.
	commandTime = 10 * time.Second
	// commandOutput is how much of what a command says is kept.
	commandOutput = 4 << 10
	// commandsAtOnce is few: each may be a script that keeps a router busy.
	commandsAtOnce = 4
	// systemPath is where NixOS has the system's programs.
	systemPath = "/run/current-system/sw/bin"
)

// commands have turns of their own: one that takes a minute must not keep those
// waiting who ask the network.
func (l *looker) commands(ctx context.Context) error {
	own := &looker{Options: l.Options, turns: make(chan struct{}, commandsAtOnce)}
	ctx, cancel := context.WithTimeout(ctx, CommandsTime)
	defer cancel()
	l.st.Commands = ask(ctx, own, state.NeedCommand, l.command, func(why string) state.Command { return state.Command{Error: why} })
	return nil
}

// command runs a program without a shell, in a process group that is killed as a
// whole.
func (l *looker) command(ctx context.Context, n state.Need) (state.Command, error) {
	if len(n.Args) == 0 {
		return state.Command{}, errors.New("no command")
	}
	program, err := l.program(n.Args[0])
	if err != nil {
		return state.Command{}, err
	}
	timeout := commandTime
	if n.Timeout > 0 {
		timeout = time.Duration(n.Timeout) * time.Second
	}
	soon, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := head{most: commandOutput}
	cmd := exec.CommandContext(soon, program, n.Args[1:]...)
	cmd.Args[0] = n.Args[0]
	l.prepare(cmd, &out)
	err = runBare(cmd)
	if errors.Is(err, exec.ErrWaitDelay) { // the command itself has ended well
		_ = cmd.Cancel()
		err = nil
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return state.Command{Args: n.Args, Output: out.text()}, nil
	case soon.Err() != nil:
		return state.Command{}, fmt.Errorf("took longer than %d s", int(timeout.Seconds()))
	case errors.As(err, &exit) && exit.Exited():
		return state.Command{Args: n.Args, Exit: exit.ExitCode(), Output: out.text()}, nil
	case errors.As(err, &exit):
		return state.Command{}, fmt.Errorf("ended by %s", exit) // signal: killed
	}
	return state.Command{}, err
}

// runBare runs a command without the capabilities that a unit of systemd has lent this
// process (capabilities(7), ambient set): whoever writes a check wants to know something,
// not to read all secrets. Root stays root. The set is the thread's, which ends with the
// goroutine since it is never unlocked.
func runBare(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
	}()
	if err := <-started; err != nil {
		return err
	}
	return cmd.Wait()
}

// program is where a program is. A unit of systemd has few folders in its path, and
// that of the system's own programs not among them.
func (l *looker) program(name string) (string, error) {
	if strings.Contains(name, "/") {
		if name[0] != '/' {
			return "", fmt.Errorf("%s: neither a name nor an absolute path", name)
		}
		return name, nil
	}
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	p, err := exec.LookPath(l.path(systemPath + "/" + name))
	if err != nil {
		return "", fmt.Errorf("%s: not found in PATH or %s", name, systemPath)
	}
	return p, nil
}

// head keeps the beginning of what is written to it and takes the rest, so that the
// program does not end for nobody listening.
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

// text is what was kept, without the half of a character at the cut.
func (h *head) text() string {
	b := h.b
	if h.cut {
		for range utf8.UTFMax - 1 {
			if r, n := utf8.DecodeLastRune(b); r != utf8.RuneError || n != 1 {
				break
			}
			b = b[:len(b)-1]
		}
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
