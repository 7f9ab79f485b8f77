// Package watch probes uplinks and sets their routes and rules in the kernel (package failover
// says which). It runs in the network namespace of the process that starts it, with CAP_NET_ADMIN
// and CAP_NET_RAW.
package watch

import (
	"log/slog"

	"github.com/nbr-dev/nbr/failover"
)

// Options are where a watcher tells what it does.
type Options struct {
	Log    *slog.Logger
	Status func(failover.Status) error // called after each round and each change
	Ready  func()                      // called once, when each uplink with a way has been judged
}
