package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/traffic"
	"github.com/nbr-dev/nbr/verify/throughput"
)

// throughputFlags are those of verify -throughput.
func throughputFlags() []cli.Flag {
	return []cli.Flag{
		boolFlag("throughput", "say where packets between hosts go while these send them: print the commands for two hosts and watch the counters"),
		&cli.DurationFlag{Name: "for", Usage: "with -throughput, watch for `DURATION`; Ctrl-C ends it earlier", Value: time.Minute},
	}
}

// interval is the time between two looks at the counters.
const interval = time.Second

// throughput watches counters while hosts send packets, and says which way these went. It sends
// nothing, and opens no port.
func (a *app) throughput(c *cli.Context, s loaded) error {
	ways := throughput.Ways(s.Router)
	if len(ways) == 0 {
		return exit{ExitUnknown, fmt.Sprintf("the spec in %s has no bridge with two ports of one switch and no policy that accepts: no packet passes the router", s.dir)}
	}
	if err := throughput.Commands(a.Stdout, ways); err != nil {
		return err
	}
	most := c.Duration("for")
	fmt.Fprintf(a.Stderr, "nbr: watching for %s; Ctrl-C ends it\n", most)
	samples, err := samplesFor(c.Context, most)
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	if len(samples) < 2 {
		return exit{ExitUnknown, "interrupted; nothing was judged"}
	}
	rep := throughput.Judge(s.Router, samples)
	if err := rep.Text(a.Stdout); err != nil {
		return err
	}
	if len(rep.Shares) == 0 {
		return exit{ExitUnknown, "no bridge has two ports of one switch, so there is nothing to judge"}
	}
	code := 0
	for _, share := range rep.Shares {
		switch {
		case share.Status() == verify.Fail:
			code = ExitFailed
		case share.Status() == verify.Unknown && code == 0:
			code = ExitUnknown
		}
	}
	if code != 0 {
		return exit{code: code}
	}
	return nil
}

// samplesFor looks at the counters again and again until the time is over or the context ends.
func samplesFor(ctx context.Context, most time.Duration) ([]throughput.Sample, error) {
	var samples []throughput.Sample
	end := time.Now().Add(most)
	for ctx.Err() == nil {
		s, err := traffic.Look("")
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
		left := time.Until(end)
		if left <= 0 && len(samples) > 1 {
			break
		}
		select {
		case <-time.After(max(min(interval, left), 0)):
		case <-ctx.Done():
		}
	}
	return samples, nil
}
