package reference

import (
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

func TestCallsAreOfFunctions(t *testing.T) {
	all := conf.Functions(nil)
	for name := range calls {
		if _, ok := all[name]; !ok {
			t.Errorf("there is an example for %s, which is no function", name)
		}
	}
}
