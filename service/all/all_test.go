package all_test

import (
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/servicetest"
)

func TestServices(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	servicetest.Run(t, reg, "../*", "../../firmware")
}
