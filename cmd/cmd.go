// Package cmd is the command line of nbr. It is importable, so that a program
// with further kinds of blocks is ten lines: see testdata/thirdparty/main.go. Nothing below this
// package knows flags, terminals or exit codes.
package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
)

// Exit codes.
const (
	ExitOK      = 0
	ExitFailed  = 1  // a check failed: the tree is stale, a file is not formatted
	ExitSpec    = 2  // the spec is wrong
	ExitUnknown = 3  // could not look, or could not write
	ExitUsage   = 64 // the command line is wrong (sysexits.h, EX_USAGE)
)

// Main runs nbr with these kinds of blocks and exits. Those that nbr has built in are in
// service/all, and another main package appends its own kinds; their order has no meaning.
func Main(kinds ...service.Kind) { run(ownSource(), kinds) }

// ownSource is what this program is built from, or nil: the source that is embedded is that
// of one program, and another main package has kinds of blocks that it knows nothing of.
func ownSource() fs.FS {
	if info, ok := debug.ReadBuildInfo(); ok && info.Path == nbr.Program {
		return nbr.Source()
	}
	return nil
}

func run(source fs.FS, kinds []service.Kind) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: clock, Source: source, Held: new(atomic.Bool)}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		env.Color = os.Getenv("NO_COLOR") == ""
		env.Width, _, _ = term.GetSize(int(os.Stderr.Fd()))
	}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		env.Columns, _, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	code := make(chan int)
	go func() { code <- Run(ctx, env, os.Args[1:], kinds...) }()
	select {
	case c := <-code:
		os.Exit(c)
	case <-ctx.Done():
	}
	// Whatever is not done soon is not worth waiting for: a tree is the old one or
	// the new one wherever it is left. A card is not.
	for {
		select {
		case c := <-code:
			os.Exit(c)
		case <-time.After(2 * time.Second):
			if !env.Held.Load() {
				os.Exit(ExitUnknown)
			}
		}
	}
}

// clock tells what time it is. The tests of whole commands fix it: what nbr says of a
// release and of pins depends on the day.
var clock = time.Now

// Env is what a run of nbr has of the outside.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Color          bool // Stderr is a terminal, and colours are not declined (no-color.org)
	Width          int  // its columns, 0 when it is none
	Columns        int  // those of Stdout, likewise
	// Now is the clock that the age of releases and pins is judged by. Without one it
	// is not judged.
	Now func() time.Time
	// Source is what the running program is built from; nil when it does not carry it.
	Source fs.FS
	// Held is set while a command must come to its own end after Ctrl-C. It may be nil.
	Held *atomic.Bool
}

// app is one run of nbr.
type app struct {
	Env
	reg *service.Registry
}

// Run runs nbr with these arguments and returns its exit code.
func Run(ctx context.Context, env Env, args []string, kinds ...service.Kind) int {
	out := &output{w: env.Stdout}
	env.Stdout = out
	a := &app{env, &service.Registry{Kinds: kinds, Boards: firmware.Boards()}}
	if err := a.reg.Check(); err != nil {
		fmt.Fprintf(env.Stderr, "nbr: this program is not composed well: %s\n", err)
		return ExitUnknown
	}
	var notFound error // nbr help of a command that is not there, which urfave/cli forgets
	c := a.program()
	c.CommandNotFound = func(c *cli.Context, name string) { notFound = noCommand(c.App, name) }
	err := cmp.Or(c.RunContext(ctx, append([]string{"nbr"}, args...)), notFound)
	var code exit
	switch {
	case out.err != nil && (err == nil || !errors.As(err, &code)):
		fmt.Fprintf(env.Stderr, "nbr: %s\n", out.err)
		return ExitUnknown
	case err == nil:
		return ExitOK
	case errors.As(err, &code):
		if code.msg != "" {
			fmt.Fprintf(env.Stderr, "nbr: %s\n", code.msg)
		}
		return code.code
	default:
		fmt.Fprintf(env.Stderr, "nbr: %s\n", err)
		return ExitUnknown
	}
}

// program is the command line as the library knows it.
func (a *app) program() *cli.App {
	c := &cli.App{
		Name:  "nbr",
		Usage: "turn the HCL spec of a router into a NixOS flake",
		Description: "A spec is a folder of *.hcl files that say what one router must be.\n" +
			"nbr gen makes a flake of it, nix build makes the SD image of the flake.",
		Writer: a.Stdout, ErrWriter: a.Stderr, Reader: a.Stdin,
		HideVersion:               true,
		Flags:                     []cli.Flag{boolFlag("version", "print the version of nbr")},
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true, // a comma in the value of -var is part of it
		Commands: []*cli.Command{
			a.initCommand(), a.checkCommand(), a.evalCommand(), a.genCommand(), a.pinsCommand(), a.fmtCommand(), a.schemaCommand(),
			a.graphCommand(), a.wgCommand(), a.verifyCommand(), a.agentCommand(), a.observeCommand(), a.uplinksCommand(), a.imageCommand(), a.flashCommand(), a.bootlogCommand(), a.boardsCommand(),
			a.explainCommand(), a.lspCommand(), a.patchCommand(), a.versionCommand(), a.completionCommand(),
		},
		ExitErrHandler: func(*cli.Context, error) {}, // exit codes are decided below
		OnUsageError:   usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return noCommand(c.App, c.Args().First())
			}
			if c.Bool("version") {
				return a.printVersion()
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, sub := range c.Commands {
		for _, sub := range append(sub.Subcommands, sub) {
			sub.OnUsageError = usageError
			if len(sub.Subcommands) == 0 { // the flags of those are arguments of it
				sub.Before = flagsFirst
				sub.BashComplete = a.complete(sub, a.arguments(sub.Name))
			}
			sub.HideHelpCommand = true // help may be the name of a folder
		}
	}
	return c
}

// output is standard output. What could not be written there is told at the end, by
// whichever command: a full disk must not look like an empty answer.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// terminal tells whether a person reads it.
func (o *output) terminal() bool {
	f, ok := o.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// exit is an error that decides the exit code.
type exit struct {
	code int
	msg  string // empty when all has been said
}

func (e exit) Error() string { return e.msg }

func usage(format string, args ...any) error {
	return exit{ExitUsage, fmt.Sprintf(format, args...)}
}

func usageError(c *cli.Context, err error, _ bool) error {
	name := c.App.Name
	if c.Command != nil && c.Command.HelpName != "" {
		name = c.Command.HelpName
	}
	if strings.HasSuffix(err.Error(), "not defined: -spec") && c.Command != nil && strings.Contains(c.Command.ArgsUsage, "DIR") { // that was another way to say it
		return usage("there is no -spec: the folder of the spec is the last argument, as in %s %s", name, c.Command.ArgsUsage)
	}
	return usage("%s. Try %s -help", err, name)
}

// The library writes options with two dashes. Everything else that nbr says has one, and
// both are taken. An option that may be given several times says so by itself.
func init() {
	library := cli.FlagStringer
	cli.FlagStringer = func(f cli.Flag) string {
		names, text, _ := strings.Cut(library(f), "\t")
		names, _, _ = strings.Cut(names, " [ ")
		return strings.ReplaceAll(names, "--", "-") + "\t" + text
	}
}

// flagsFirst refuses a flag after an argument, which would be taken for an
// argument.
func flagsFirst(c *cli.Context) error {
	for _, arg := range c.Args().Slice() {
		if len(arg) > 1 && strings.HasPrefix(arg, "-") {
			return usage("flags come before arguments: put %s right after %s", arg, c.Command.HelpName)
		}
	}
	return nil
}

func noCommand(a *cli.App, name string) error {
	return usage("there is no command %q.%s Try nbr -help", name, diag.Suggest(name, commandNames(a)))
}

// boolFlag is a flag that is off unless given, which its help need not say.
func boolFlag(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
}

func commandNames(a *cli.App) []string {
	var names []string
	for _, c := range a.Commands {
		names = append(names, c.Name)
	}
	return names
}
