package cmd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/agent"
	"github.com/nbr-dev/nbr/verify/observe"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// agentDefaults are for a spec without an agent block.
var agentDefaults = router.Agent{Interval: 60, Listen: []string{"unix:/run/nbr-agent/metrics.sock"}}

// leastInterval is that of the agent block.
const leastInterval = 5 * time.Second

func (a *app) agentCommand() *cli.Command {
	return &cli.Command{
		Name: "agent", Usage: "verify this router for as long as it runs, and serve metrics of it", ArgsUsage: "[DIR]",
		Description: "Looks at this machine every interval and when something changes, logs each change of a\n" +
			"verdict once, and serves /metrics (Prometheus), /health (200 if all is well, else 503 and\n" +
			"why) and /report (as nbr verify -format json). What is not given here is what the agent\n" +
			"block of the spec says. The spec is " + deviceSpec + " if that is there, else the current\n" +
			"folder; SIGHUP has it read again. Made for systemd: Type=notify-reload, WatchdogSec=, and\n" +
			"sockets that are handed over (systemd.socket(5)) are used instead of -listen.\n\n" +
			"Examples:\n" +
			"   nbr agent                                     as the spec says\n" +
			"   nbr agent -interval 10s -listen 127.0.0.1:9842\n" +
			"   curl --unix-socket /run/nbr-agent/metrics.sock http://agent/health",
		Flags: append(varFlag(),
			&cli.DurationFlag{Name: "interval", Usage: "look every `DURATION` even if nothing happens", DefaultText: "the spec's, or 60s"},
			&cli.StringSliceFlag{Name: "listen", Usage: "serve at `PLACE`: unix:PATH or an address and a port (may be given several times)", DefaultText: "the spec's, or " + agentDefaults.Listen[0]},
			&cli.StringFlag{Name: "look", Usage: "do not look, but read what an nbr observe behind the socket at `PATH` writes: the process that serves needs no right to see all"},
			passiveFlag()),
		Action: a.agent,
	}
}

func (a *app) agent(c *cli.Context) error {
	if err := agentUsage(c); err != nil {
		return err
	}
	// A garbage collection costs less than memory that a router has better uses for.
	debug.SetGCPercent(25)
	// From here on: who starts it may ask for a new spec before the first is read.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	spec, listen, err := a.agentSpec(c)
	if err != nil {
		return err
	}
	version, err := a.version()
	if err != nil {
		return err
	}
	listeners, err := handedOver()
	if err == nil && len(listeners) == 0 {
		listeners, err = listenAt(c.Context, listen)
	}
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	log := agentLog(a.Stderr)
	ag := newAgent(spec, version, log)
	stop := serve(ag, listeners, log)
	defer stop()
	for _, l := range listeners {
		log.Info("serving", "at", l.Addr().String())
	}

	specs := make(chan agent.Spec)
	go a.reload(c, hup, specs, log)
	events := observe.Watch(c.Context, observe.WatchOptions{Ignore: lookUnit, Trouble: func(source string, err error) {
		if err != nil {
			log.Warn("no events: looking every interval", "of", source, "why", err)
			return
		}
		log.Info("events again", "of", source)
	}})
	// Ready is who can be asked; the first look would else see its own unit begin for ever.
	notify(daemon.SdNotifyReady)
	ag.Run(c.Context, events, specs)
	notify(daemon.SdNotifyStopping)
	log.Info("ended")
	return nil
}

// agentUsage refuses flags that cannot be.
func agentUsage(c *cli.Context) error {
	if c.IsSet("interval") && c.Duration("interval") < leastInterval {
		return usage("-interval is %s at least, not %s", leastInterval, c.Duration("interval"))
	}
	for _, place := range c.StringSlice("listen") {
		if _, _, err := parsePlace(place); err != nil {
			return usage("-listen %s: %s", place, err)
		}
	}
	return nil
}

// agentSpec reads the spec, and how it wants to be verified but for what the flags
// say.
func (a *app) agentSpec(c *cli.Context) (agent.Spec, []string, error) {
	s, err := a.device(c)
	if err != nil {
		return agent.Spec{}, nil, err
	}
	plan := s.Plan()
	if len(plan.Checks) == 0 {
		return agent.Spec{}, nil, exit{ExitUnknown, fmt.Sprintf("the spec in %s promises nothing that could be verified", s.dir)}
	}
	set := agentDefaults
	if claimed := router.Claimed[router.Agent](s.Router); len(claimed) > 0 {
		set = *claimed[0]
	}
	interval := time.Duration(set.Interval) * time.Second
	if c.IsSet("interval") {
		interval = c.Duration("interval")
	}
	if c.IsSet("listen") {
		set.Listen = c.StringSlice("listen")
	}
	passive := set.Passive || c.Bool("passive")
	needs, questions := plan.Needs(), plan.Questions()
	w := diag.Writer{Dir: a.diagWriter(s.Spec, s.dir).Dir}
	return agent.Spec{
		Router: string(s.Router.Name.V), Hash: s.Hash(), Plan: plan, Names: set.Names, Interval: interval,
		Look: func(ctx context.Context) (*state.State, error) {
			if path := c.String("look"); path != "" {
				return lookElsewhere(ctx, path)
			}
			return observe.Look(ctx, observe.Options{Needs: needs, Questions: questions, Time: time.Now().Unix(), Passive: passive}), nil
		},
		JSON: func(to io.Writer, r *report.Report) error {
			w := w
			w.W = to
			return r.JSON(&w)
		},
	}, set.Listen, nil
}

// lookUnit is the beginning of the names of the units that flake/module.nix has look
// for the agent.
const lookUnit = "nbr-look"

// lookPatience is more than a look takes, with all commands of check blocks.
const lookPatience = observe.CommandsTime + 20*time.Second

// lookElsewhere reads a state from another process, which may see everything and serves no
// client: this one serves clients and needs no capability.
func lookElsewhere(ctx context.Context, path string) (*state.State, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	return observe.Load(conn)
}

func newAgent(spec agent.Spec, version string, log *slog.Logger) *agent.Agent {
	conf := agent.Config{
		Spec: spec, Log: log, Now: time.Now,
		Version: version, GoVersion: runtime.Version(),
		Looked: func(sum report.Summary) {
			notify("STATUS=" + sum.String())
			// What a look needs is several times what is kept of it.
			debug.FreeOSMemory()
		},
	}
	// systemd.service(5): half of the time that it waits.
	if d, err := daemon.SdWatchdogEnabled(false); err == nil && d > 0 {
		conf.Heartbeat = d / 2
		conf.Alive = func() { notify(daemon.SdNotifyWatchdog) }
	}
	return agent.New(conf)
}

// reload reads the spec again at each SIGHUP. One that is wrong is told like that of
// nbr verify, and changes nothing.
func (a *app) reload(c *cli.Context, hup <-chan os.Signal, specs chan<- agent.Spec, log *slog.Logger) {
	for {
		select {
		case <-c.Context.Done():
			return
		case <-hup:
		}
		notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
		spec, _, err := a.agentSpec(c)
		if err != nil {
			log.Error("the spec cannot be used; going on with the one before", "why", reasonOf(err))
		} else {
			select {
			case specs <- spec:
				log.Info("read the spec again", "hash", spec.Hash)
			case <-c.Context.Done():
				return
			}
		}
		notify(daemon.SdNotifyReady)
	}
}

// reasonOf is an error in words: that a spec is wrong has been said before, at length.
func reasonOf(err error) string {
	if err.Error() == "" {
		return "it has errors"
	}
	return err.Error()
}

// serve serves the pages until it is told to stop.
func serve(pages http.Handler, listeners []net.Listener, log *slog.Logger) (stop func()) {
	srv := &http.Server{
		Handler: pages, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second,
		MaxHeaderBytes: 8 << 10,
	}
	// There are few connections, and one kept open until the next scrape would be one less.
	srv.SetKeepAlivesEnabled(false)
	for _, l := range listeners {
		go func() {
			if err := srv.Serve(l); err != http.ErrServerClosed {
				log.Error("not serving any longer", "at", l.Addr().String(), "why", err)
			}
		}()
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	}
}

// agentLog has lines for people; the journal has a clock of its own.
func agentLog(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{}
	if os.Getenv("JOURNAL_STREAM") != "" {
		opts.ReplaceAttr = func(groups []string, at slog.Attr) slog.Attr {
			if len(groups) == 0 && at.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return at
		}
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// notify tells the service manager (sd_notify(3)), if there is one. One that does not
// listen is none of the router's problems.
func notify(text string) { _, _ = daemon.SdNotify(false, text) }
