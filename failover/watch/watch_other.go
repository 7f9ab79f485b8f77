//go:build !linux

package watch

import (
	"context"
	"errors"

	"github.com/nbr-dev/nbr/failover"
)

// Run tells that there is nothing to watch: routes and rules are Linux's.
func Run(context.Context, failover.Config, Options) error {
	return errors.New("uplinks can be watched on Linux only")
}
