package conf

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Data is a block as plain data, by the names of its attributes and blocks: texts, numbers, booleans, lists
// and maps, as encoding/json would decode them. What is not set has its default, or is nil. A reference is
// the address of its block, and a value with a type of its own is its text. Blocks that may be repeated are
// a list, in which each has its label as label.
func Data(b Block) map[string]any { return dataOf(reflect.ValueOf(b).Elem()) }

func dataOf(v reflect.Value) map[string]any {
	info := infoOf(v.Type())
	out := map[string]any{}
	for _, f := range info.attrs {
		a := v.FieldByIndex(f.index).Addr().Interface().(attribute)
		out[f.name] = nil
		if a.isSet() || f.def != "" {
			out[f.name] = a.data()
		}
	}
	for _, f := range info.blocks {
		fv := v.FieldByIndex(f.index)
		if !f.many {
			out[f.name] = nil
			if !fv.IsNil() {
				out[f.name] = dataOf(fv.Elem())
			}
			continue
		}
		all := []any{}
		for i := range fv.Len() {
			in := fv.Index(i).Elem()
			block := dataOf(in)
			if label := infoOf(in.Type()).label; label != nil {
				block["label"] = in.FieldByIndex(label.index).Addr().Interface().(attribute).data()
			}
			all = append(all, block)
		}
		out[f.name] = all
	}
	return out
}

func (v *Value[T]) data() any { return scalar(v.V) }

func (l *List[T]) data() any {
	out := []any{}
	for _, it := range l.Items {
		out = append(out, it.data())
	}
	return out
}

func (r *Ref[T]) data() any { return r.Addr.String() }

func (r *Refs[T]) data() any {
	out := []any{}
	for _, it := range r.Items {
		out = append(out, it.data())
	}
	return out
}

func (r *RefOr[T, V]) data() any {
	if r.Ref.Set {
		return r.Ref.data()
	}
	return r.Value.data()
}

// scalar is the value of an attribute as data.
func scalar(v any) any {
	switch x := v.(type) {
	case cty.Value:
		return decoded(x)
	case Object:
		return decoded(x.Value)
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("conf: %T has no text: %s", v, err))
		}
		return string(text)
	case fmt.Stringer:
		return x.String()
	}
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Bool:
		return rv.Bool()
	case reflect.String:
		return rv.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return float64(rv.Uint())
	case reflect.Float64:
		return rv.Float()
	default:
		panic(fmt.Sprintf("conf: %T has no text", v))
	}
}

// decoded is a value that has no type of its own.
func decoded(v cty.Value) any {
	if v == cty.NilVal {
		return nil
	}
	b, err := ctyjson.SimpleJSONValue{Value: v}.MarshalJSON()
	var out any
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("conf: a value that is no data: %s", err))
	}
	return out
}
