package overlay

import (
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/servicetest"
)

func TestService(t *testing.T) {
	servicetest.Run(t, &service.Registry{Kinds: append(all.Kinds(), Kind()), Boards: firmware.Boards()}, ".")
}
