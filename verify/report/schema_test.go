package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/verify/report"
)

// validate checks a report against the schema in the repository.
func validate(t testing.TB, b []byte) {
	t.Helper()
	for _, p := range problems(schema(t), parse(t, b), "") {
		t.Errorf("schema.json: %s", p)
	}
}

func parse(t testing.TB, b []byte) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&v); err != nil {
		t.Fatalf("%s\n%s", err, b)
	}
	return v
}

func schema(t testing.TB) map[string]any {
	t.Helper()
	return parse(t, report.Schema).(map[string]any)
}

// problems are what is wrong with a value by the keywords of JSON Schema that
// schema.json uses. It panics at any other, so that none is ignored.
func problems(schema map[string]any, v any, at string) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, at+": "+fmt.Sprintf(format, args...)) }
	object, _ := v.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		arg := schema[keyword]
		switch keyword {
		case "$schema", "title", "description":
		case "type":
			types, several := arg.([]any)
			if !several {
				types = []any{arg}
			}
			if !slices.ContainsFunc(types, func(typ any) bool { return is(typ.(string), v) }) {
				bad("%v is no %v", v, arg)
			}
		case "const":
			if !reflect.DeepEqual(v, arg) {
				bad("%v is not %v", v, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				bad("%v is not in %v", v, arg)
			}
		case "minimum":
			if n, ok := v.(float64); ok && n < arg.(float64) {
				bad("%v is less than %v", v, arg)
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, ok := object[name.(string)]; object != nil && !ok {
					bad("no %s", name)
				}
			}
		case "properties":
			for name, s := range properties {
				if member, ok := object[name]; ok {
					out = append(out, problems(s.(map[string]any), member, at+"/"+name)...)
				}
			}
		case "additionalProperties":
			for name, member := range object {
				if _, known := properties[name]; known {
					continue
				}
				if s, ok := arg.(map[string]any); ok {
					out = append(out, problems(s, member, at+"/"+name)...)
				} else if arg == false {
					bad("%s is not expected", name)
				}
			}
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				out = append(out, problems(arg.(map[string]any), item, fmt.Sprintf("%s/%d", at, i))...)
			}
		default:
			panic("schema.json uses " + keyword + ", which this test does not know")
		}
	}
	return out
}

func is(typ string, v any) bool {
	switch v := v.(type) {
	case nil:
		return typ == "null"
	case string:
		return typ == "string"
	case bool:
		return typ == "boolean"
	case float64:
		return typ == "number" || typ == "integer" && v == float64(int64(v))
	case []any:
		return typ == "array"
	default:
		return typ == "object"
	}
}
