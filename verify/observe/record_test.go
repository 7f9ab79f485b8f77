package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

// fill puts something into every field.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`"answer"`)) // its form is the probe's own
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("<&> \u2028")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<v.Type().Bits() - 1)
	default:
		v.SetInt(1)
	}
}

func full() *state.State {
	st := new(state.State)
	fill(reflect.ValueOf(st).Elem())
	st.FormatVersion = state.Version
	return st
}

func saveAndLoad(t *testing.T, st *state.State) *state.State {
	t.Helper()
	var b bytes.Buffer
	if err := Save(&b, st); err != nil {
		t.Fatal(err)
	}
	got, err := Load(&b)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestASavedStateComesBack(t *testing.T) {
	for name, st := range map[string]*state.State{
		"full":          full(),
		"nothing seen":  {FormatVersion: state.Version},
		"nothing there": {FormatVersion: state.Version, Links: map[string]state.Link{}, Addrs: []state.Addr{}, Tables: []string{}, Units: map[string]state.Unit{}},
	} {
		if d := cmp.Diff(st, saveAndLoad(t, st)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	v := fmt.Sprintf(`"format_version": %d`, state.Version)
	for _, tt := range []struct{ name, text, err string }{
		{"nothing", "", "unexpected end of JSON input"},
		{"another file", "<html>", "line 1: invalid character '<'"},
		{"null", "null", "no format_version"},
		{"no version", "{}", "no format_version"},
		{"a later version", `{"format_version": 99, "new": 1}`, fmt.Sprintf("format_version is 99, and this nbr reads %d: judge it with the nbr that recorded it", state.Version)},
		{"the first version", `{"format_version": 1, "times": {}}`, fmt.Sprintf("format_version is 1, and this nbr reads %d: record the router anew", state.Version)},
		{"a version that is no number", `{"format_version": "1"}`, "cannot unmarshal string"},
		{"an unknown field", `{` + v + `, "lynx": {}}`, `unknown field "lynx"`},
		{"one deeper", `{` + v + `, "links": {"lan": {"spede": 3}}}`, `unknown field "spede"`},
		{"cut off", `{` + v + ",\n\"links\": {", "line 2: unexpected end"},
		{"the wrong type", `{` + v + ",\n\n\"links\": []}", "line 3: cannot unmarshal array"},
		{"a negative size", `{` + v + `, "board": {"mem_total": -1}}`, "cannot unmarshal number -1"},
		{"two states", `{` + v + `}{}`, "after top-level value"},
		{"deep", strings.Repeat("[", 20000), "exceeded max depth"},
	} {
		if _, err := Load(strings.NewReader(tt.text)); err == nil || !strings.HasPrefix(err.Error(), "state: ") || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.err)
		}
	}
	if _, err := Load(io.LimitReader(zeros{}, recordLimit+10)); err == nil || !strings.Contains(err.Error(), "more than 268435456 bytes") {
		t.Errorf("huge: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := Save(&b, full()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(fmt.Sprintf(`{"format_version": %d}`, state.Version)))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := Load(bytes.NewReader(b))
		if err != nil {
			return
		}
		if d := cmp.Diff(st, saveAndLoad(t, st)); d != "" {
			t.Error(d)
		}
	})
}

// A router with a full table of the Internet is recorded and read back, up to as many routes as
// are looked at; what would not be read back is not written.
func TestFullTables(t *testing.T) {
	table := func(n int, pad string) *state.State {
		st := &state.State{FormatVersion: state.Version, Routes: make([]state.Route, n)}
		for i := range st.Routes {
			st.Routes[i] = state.Route{To: fmt.Sprintf("2001:db8:%x:%x::/64", i>>16, i&0xffff), Via: "fe80::1234:56ff:fe78:9abc", Link: "enp1s0f0np0" + pad, Proto: "bgp", Metric: 1024}
		}
		return st
	}
	const n = 700_000
	st := table(n, "")
	var b bytes.Buffer
	if err := Save(&b, st); err != nil {
		t.Fatal(err)
	}
	if most := b.Len() / n * netstate.MostRoutes; most > recordLimit {
		t.Errorf("%d routes are %d bytes, more than the %d that are read back", netstate.MostRoutes, most, recordLimit)
	}
	got, err := Load(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Routes, st.Routes) {
		t.Error("routes are others when read back")
	}
	if err := Save(io.Discard, table(100, strings.Repeat("x", recordLimit/100))); err == nil || !strings.Contains(err.Error(), "more than 268435456 bytes") {
		t.Errorf("too much is written: %v", err)
	}
}
