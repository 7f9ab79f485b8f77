package udevtest

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }
