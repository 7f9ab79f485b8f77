//go:build !linux

package traffic

import (
	"errors"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/throughput"
)

// Look is of a router only.
func Look(root.Root) (throughput.Sample, error) {
	return throughput.Sample{}, errors.New("counters are read on the router itself")
}
