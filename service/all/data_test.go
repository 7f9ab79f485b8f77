package all_test

import (
	"encoding"
	"fmt"
	"reflect"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// conf.Data has a text for each value of a block: its type is a plain one, or says what its text is.
func TestEveryValueIsData(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	n := 0
	seen := map[reflect.Type]bool{}
	var walk func(of reflect.Type, where string)
	walk = func(of reflect.Type, where string) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		if v, ok := of.FieldByName("V"); ok {
			n++
			switch reflect.New(v.Type).Elem().Interface().(type) {
			case encoding.TextMarshaler, fmt.Stringer, cty.Value, conf.Object:
			default:
				if k := v.Type.Kind(); k > reflect.Float64 && k != reflect.String {
					t.Errorf("%s: %s has no text", where, v.Type)
				}
			}
			return
		}
		for _, f := range reflect.VisibleFields(of) {
			if f.Tag.Get("hcl") == "" && f.Name != "Items" && f.Name != "Value" && f.Name != "Ref" {
				continue
			}
			walk(f.Type, where+"."+f.Name)
		}
	}
	for _, b := range reg.Types() {
		walk(reflect.TypeOf(b.New()), b.Type)
	}
	if n < 100 {
		t.Errorf("only %d values found", n)
	}
}
