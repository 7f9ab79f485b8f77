package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// probes asks the programs' own questions. Each costs no more than itself: one that
// panics or takes too long has its reason as the answer.
func (l *looker) probes(ctx context.Context) error {
	out := map[string]map[string]state.Probed{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, q := range l.Questions {
		if q.Active && l.Passive {
			continue
		}
		wg.Go(func() {
			v := l.probe(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			if out[q.Probe] == nil {
				out[q.Probe] = map[string]state.Probed{}
			}
			out[q.Probe][q.Key] = v
		})
	}
	wg.Wait()
	l.st.Probes = out
	return nil
}

func (l *looker) probe(ctx context.Context, q probe.Question) (v state.Probed) {
	select {
	case l.turns <- struct{}{}:
	case <-ctx.Done():
		return state.Probed{Error: "there was no time to ask: " + ctx.Err().Error()}
	}
	defer func() {
		<-l.turns
		if p := recover(); p != nil {
			v = state.Probed{Error: fmt.Sprintf("bug: %v", p)}
		}
		v.Error = strings.ReplaceAll(v.Error, "\n", "; ")
	}()
	v = q.Look(ctx, machine{l})
	if ctx.Err() != nil { // what was cut short tells nothing
		return state.Probed{Error: "there was no time for the answer: " + ctx.Err().Error()}
	}
	return v
}

// machine is this machine as probes see it.
type machine struct{ l *looker }

func (h machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if strings.HasPrefix(network, "unix") {
		var d net.Dialer
		return d.DialContext(ctx, network, h.l.path(address))
	}
	return dialOwn(ctx, network, address)
}

func (h machine) ReadFile(name string) ([]byte, error) {
	f, err := h.l.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, probe.OutputLimit)
}

func (h machine) Run(ctx context.Context, program string, args ...string) (probe.Output, error) {
	path, err := h.l.program(program)
	if err != nil {
		return probe.Output{}, err
	}
	out := head{most: probe.OutputLimit}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = program
	h.l.prepare(cmd, &out)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return probe.Output{}, fmt.Errorf("%s took too long", program)
	case out.cut:
		return probe.Output{}, fmt.Errorf("%s printed more than %d bytes", program, probe.OutputLimit)
	case errors.Is(err, exec.ErrWaitDelay): // the program itself has ended well
		_ = cmd.Cancel()
	case errors.As(err, &exit) && exit.Exited():
		return probe.Output{Exit: exit.ExitCode(), Stdout: out.b}, nil
	case err != nil:
		return probe.Output{}, fmt.Errorf("%s: %w", program, err)
	}
	return probe.Output{Stdout: out.b}, nil
}

// prepare makes a command one of this machine, in a process group that is killed as a
// whole.
func (l *looker) prepare(cmd *exec.Cmd, out *head) {
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH") + ":" + l.path(systemPath)}
	cmd.Stdout = out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// What it leaves behind may keep the pipe open.
	cmd.WaitDelay = time.Second
}
