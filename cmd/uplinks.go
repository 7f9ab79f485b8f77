package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/failover"
	"github.com/nbr-dev/nbr/failover/watch"
)

const uplinksStatus = "/run/nbr-uplinks/status.json"

func (a *app) uplinksCommand() *cli.Command {
	return &cli.Command{
		Name: "uplinks", Usage: "watch this router's uplinks, and lead new connections to the first that works", ArgsUsage: "FILE",
		Description: "Probes the uplinks of FILE, which nbr gen makes of uplink blocks, and sets routes and\n" +
			"rules of protocol 205. What conntrack has of the flows of an uplink that fails is deleted.\n" +
			"Routes and rules stay when it ends. Made for systemd: Type=notify, and the capabilities\n" +
			"CAP_NET_ADMIN and CAP_NET_RAW.\n\n" +
			"Examples:\n" +
			"   systemctl status nbr-uplinks\n" +
			"   cat " + uplinksStatus,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "status", Value: uplinksStatus, Usage: "write to `FILE` how the uplinks fare, after each round of probes"},
		},
		Action: a.uplinks,
	}
}

func (a *app) uplinks(c *cli.Context) error {
	if c.NArg() != 1 {
		return usage("nbr uplinks wants one file")
	}
	b, err := os.ReadFile(c.Args().First())
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	var conf failover.Config
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&conf); err != nil {
		return exit{ExitUnknown, fmt.Sprintf("%s: %s", c.Args().First(), err)}
	}
	log := agentLog(a.Stderr)
	err = watch.Run(c.Context, conf, watch.Options{
		Log:    log,
		Status: func(s failover.Status) error { return writeStatus(c.String("status"), s) },
		Ready:  func() { notify(daemon.SdNotifyReady) },
	})
	notify(daemon.SdNotifyStopping)
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	log.Info("ended; routes and rules stay")
	return nil
}

// writeStatus replaces the file in one step, readable for all: who reads it never sees a part.
func writeStatus(file string, s failover.Status) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replace(file, append(b, '\n'), 0o644)
}
