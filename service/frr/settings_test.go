package frr

import (
	"reflect"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// No setting of a group is lost, and none that the neighbour has itself is replaced.
func TestSettingsOfGroup(t *testing.T) {
	all := func(text string) (s Settings) {
		v := reflect.ValueOf(&s).Elem()
		for i := range v.NumField() {
			v.Field(i).FieldByName("Set").SetBool(true)
			at := v.Field(i).FieldByName("Range")
			at.FieldByName("Filename").SetString(text)
		}
		return s
	}
	group := all("group.hcl")
	if got := (Settings{Expect: conf.Value[int]{V: 1}}).or(group); !reflect.DeepEqual(got, group) {
		t.Errorf("a neighbour without settings has %+v", got)
	}
	own := all("own.hcl")
	if got := own.or(group); !reflect.DeepEqual(got, own) {
		t.Errorf("a neighbour with all settings has %+v", got)
	}
}
