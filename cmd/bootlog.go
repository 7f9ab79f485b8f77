package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/firmware/bootlog"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/report"
	"github.com/nbr-dev/nbr/verify/state"
)

// bootlogVersion is the version of the JSON form, as report.FormatVersion is of
// the report's.
const bootlogVersion = "1.0"

func (a *app) bootlogCommand() *cli.Command {
	return &cli.Command{
		Name: "bootlog", Usage: "say from a board's serial log how far it came and why no further", ArgsUsage: "FILE|- [DIR]",
		Description: "Reads what a board said on its serial port, from the boot ROM to the login: the medium\n" +
			"it started from, the memory that each stage saw, versions, where it stopped, what is\n" +
			"likely wrong and what to do. Of several boots the last one counts. With the spec of a\n" +
			"folder it also judges board, medium, memory and kernel by what the spec promises. Exit code 0 if the\n" +
			"board came up and all is well, 1 if it stopped or something is wrong, 3 if the log does\n" +
			"not say, 2 if the spec is wrong.\n\n" +
			"Examples:\n" +
			"   nbr bootlog boot.log\n" +
			"   nbr bootlog boot.log router/\n" +
			"   picocom -b 115200 /dev/ttyUSB0 | tee boot.log; nbr bootlog boot.log\n" +
			"   nbr bootlog - </dev/ttyUSB0             until Ctrl-C",
		Flags: append(varFlag(),
			boolFlag("json", "print it as JSON")),
		Action: a.bootlog,
	}
}

func (a *app) bootlog(c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return usage("nbr bootlog takes one file, or - for standard input, and the folder of a spec")
	}
	if c.IsSet("var") && c.NArg() < 2 {
		return usage("-var is for a spec: name its folder after the file")
	}
	var s loaded
	if c.NArg() == 2 {
		var err error
		if s, err = a.deviceIn(c, c.Args().Get(1)); err != nil {
			return err
		}
	}
	l, err := a.readBootlog(c.Context, c.Args().First())
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	findings := bootlog.Diagnose(l)
	var checks *report.Report
	if s.Spec != nil {
		if checks, err = judgeBoot(s, l); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		err = a.bootlogJSON(s, l, findings, checks)
	} else {
		err = a.bootlogText(s, l, findings, checks)
	}
	if err != nil {
		return err
	}
	return bootlogExit(findings, checks)
}

// bootlogExit is 1 for what is wrong and 3 for what could not be told: the worst of
// both is what the user has to hear.
func bootlogExit(findings []bootlog.Finding, checks *report.Report) error {
	has := func(of ...bootlog.Severity) bool {
		return slices.ContainsFunc(findings, func(f bootlog.Finding) bool { return slices.Contains(of, f.Severity) })
	}
	var sum report.Summary
	if checks != nil {
		sum = checks.Summary()
	}
	switch {
	case sum.Fail > 0 || has(bootlog.Stop, bootlog.Wrong):
		return exit{code: ExitFailed}
	case sum.Unknown > 0 || has(bootlog.Unclear):
		return exit{code: ExitUnknown}
	}
	return nil
}

// readBootlog reads a log to its end, or until SIGINT: a port has
// no end.
func (a *app) readBootlog(ctx context.Context, file string) (*bootlog.Log, error) {
	in := a.Stdin
	if file != "-" {
		f, err := a.open(ctx, file)
		if ctx.Err() != nil {
			return nil, errors.New("interrupted; nothing was read")
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { w.Close() })
	defer stop()
	l, err := bootlog.Read(r)
	if ctx.Err() != nil {
		fmt.Fprintln(a.Stderr, "nbr: interrupted; this is what was read until then")
	}
	return l, err
}

// judgeBoot is what the spec promises and the log can show.
func judgeBoot(s loaded, l *bootlog.Log) (*report.Report, error) {
	for _, block := range s.Blocks() {
		b, ok := block.(*firmware.Block)
		if !ok {
			continue
		}
		results, err := verify.Eval(b.BootChecks(s.Router, l), &state.State{})
		if err != nil {
			return nil, err
		}
		return &report.Report{Router: string(s.Router.Name.V), Results: results}, nil
	}
	return nil, exit{ExitUnknown, fmt.Sprintf("the spec in %s promises nothing that a serial log could show", s.dir)}
}

func (a *app) bootlogText(s loaded, l *bootlog.Log, findings []bootlog.Finding, checks *report.Report) error {
	if err := bootlog.Text(a.Stdout, l, findings); err != nil || checks == nil {
		return err
	}
	if _, err := fmt.Fprintln(a.Stdout); err != nil {
		return err
	}
	w := a.diagWriter(s.Spec, s.dir)
	w.W, w.Color = a.Stdout, a.stdoutColor()
	return checks.Text(w, true)
}

func (a *app) bootlogJSON(s loaded, l *bootlog.Log, findings []bootlog.Finding, checks *report.Report) error {
	out := struct {
		FormatVersion string            `json:"format_version"`
		Log           *bootlog.Log      `json:"log"`
		Findings      []bootlog.Finding `json:"findings"`
		Verdicts      json.RawMessage   `json:"verdicts"` // the report of nbr verify; null without a spec
	}{bootlogVersion, l, findings, nil}
	if checks != nil {
		var b bytes.Buffer
		w := a.diagWriter(s.Spec, s.dir)
		w.W = &b
		if err := checks.JSON(w); err != nil {
			return err
		}
		out.Verdicts = b.Bytes()
	}
	_, err := a.Stdout.Write(diag.MarshalIndent(out))
	return err
}
