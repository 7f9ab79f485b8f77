// Package nft looks at tables of nftables by nft's own eyes.
package nft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/verify/state"
)

// An object is one entry of what nft -j lists (libnftables-json(5)).
type object struct {
	kind string
	raw  json.RawMessage // an object
}

// body is the entry's members. Rates and marks may be larger than a float64 can tell
// apart.
func (o object) body() (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(o.raw))
	dec.UseNumber()
	var body map[string]any
	if err := dec.Decode(&body); err != nil {
		return nil, fmt.Errorf("nft's listing: %w", err)
	}
	return body, nil
}

// parseListing reads what nft -j lists, without the line about nft itself.
func parseListing(b []byte) ([]object, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	var top struct {
		Objects *[]map[string]json.RawMessage `json:"nftables"`
	}
	if err := dec.Decode(&top); err != nil {
		return nil, fmt.Errorf("nft's listing: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("nft's listing: more than one")
	}
	if top.Objects == nil {
		return nil, errors.New("nft's listing: no \"nftables\" in it")
	}
	var out []object
	for _, o := range *top.Objects {
		if len(o) != 1 {
			return nil, fmt.Errorf("nft's listing: an object of %d kinds", len(o))
		}
		for kind, raw := range o {
			if len(raw) == 0 || raw[0] != '{' {
				return nil, fmt.Errorf("nft's listing: an empty %s", kind)
			}
			if kind != "metainfo" {
				out = append(out, object{kind, raw})
			}
		}
	}
	return out, nil
}

// parseTables reads nft -j list tables: "inet nbr".
func parseTables(b []byte) ([]string, error) {
	objects, err := parseListing(b)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, o := range objects {
		body, err := o.body()
		if err != nil {
			return nil, err
		}
		family, _ := body["family"].(string)
		name, _ := body["name"].(string)
		if o.kind != "table" || family == "" || name == "" {
			return nil, fmt.Errorf("nft's listing of tables: a %s %q %q", o.kind, family, name)
		}
		out = append(out, family+" "+name)
	}
	slices.Sort(out)
	return out, nil
}

// canonical is a line for each object of a listing and each element of a set, in nft's order,
// without what time and packets change.
func canonical(objects []object) ([]string, error) {
	out := []string{}
	for _, o := range objects {
		if line, ok := plainRule(o); ok {
			out = append(out, line)
			continue
		}
		body, err := o.body()
		if err != nil {
			return nil, err
		}
		delete(body, "handle")
		var elements []any
		if list, ok := body["elem"].([]any); ok && o.kind != "element" {
			elements = list
			delete(body, "elem")
		}
		if dynamic(body["flags"]) {
			elements = nil // these come and go with packets
			delete(body, "elem")
		}
		lines := []map[string]any{{o.kind: settle(o.kind, body)}}
		for _, e := range elements { // each is a line, so that it can be named
			line := map[string]any{"elem": settle("", e), "set": body["name"]}
			if comment, ok := body["comment"]; ok {
				line["comment"] = comment
			}
			lines = append(lines, map[string]any{"element": line})
		}
		for _, line := range lines {
			var w strings.Builder
			enc := json.NewEncoder(&w)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(line); err != nil {
				return nil, err
			}
			out = append(out, strings.TrimSuffix(w.String(), "\n"))
		}
	}
	return out, nil
}

// plainRule is the line of a rule in which nothing changes but its handle and its
// counters, which are all but a few of thousands: its text is cut without being read.
// A quote inside a string has a backslash in front, so no string looks like a member.
func plainRule(o object) (string, bool) {
	var b bytes.Buffer
	if o.kind != "rule" || json.Compact(&b, o.raw) != nil {
		return "", false
	}
	head, expr, ok := strings.Cut(b.String(), `,"expr":`)
	if !ok || strings.Contains(expr, `"handle":`) {
		return "", false
	}
	for _, word := range []string{`"quota"`, `"last"`, `"elem"`} {
		if strings.Contains(expr, word) {
			return "", false
		}
	}
	if strings.Contains(expr, `"counter":{`) {
		expr = counters.ReplaceAllString(expr, `"counter":null`)
		if strings.Contains(expr, `"counter":{`) {
			return "", false // with unknown members
		}
	}
	return `{"rule":` + handle.ReplaceAllString(head, "") + `,"expr":` + expr + "}", true
}

var (
	counters = regexp.MustCompile(`"counter":\{"packets":\d+,"bytes":\d+\}`)
	handle   = regexp.MustCompile(`,"handle":\d+`)
)

// drops are the counters of the rules that drop or reject, and of those that do
// nothing but count at the end of a chain that drops, by chain in nft's order.
func drops(objects []object) ([]state.Drop, error) {
	var out []state.Drop
	closed := map[string]bool{}
	for _, o := range objects {
		if o.kind != "chain" && !(o.kind == "rule" && bytes.Contains(o.raw, []byte(`"counter"`)) && mayDrop(o.raw)) {
			continue
		}
		body, err := o.body()
		if err != nil {
			return nil, err
		}
		if o.kind == "chain" {
			name, _ := body["name"].(string)
			closed[name] = body["policy"] == "drop"
			continue
		}
		chain, _ := body["chain"].(string)
		expr, _ := body["expr"].([]any)
		if len(expr) == 0 {
			continue
		}
		last, _ := expr[len(expr)-1].(map[string]any)
		_, dropped := last["drop"]
		_, rejected := last["reject"]
		if !dropped && !rejected && !(closed[chain] && len(expr) == 1) {
			continue
		}
		for _, e := range expr {
			statement, _ := e.(map[string]any)
			if c, ok := statement["counter"].(map[string]any); ok {
				out = count(out, state.Drop{Chain: chain, Packets: number(c["packets"]), Bytes: number(c["bytes"])})
			}
		}
	}
	return out, nil
}

// mayDrop leaves out the rules that accept or jump, without reading them.
func mayDrop(raw []byte) bool {
	for _, word := range []string{`"accept"`, `"jump"`, `"goto"`, `"return"`} {
		if bytes.Contains(raw, []byte(word)) {
			return false
		}
	}
	return true
}

func count(all []state.Drop, d state.Drop) []state.Drop {
	for i := range all {
		if all[i].Chain == d.Chain {
			all[i].Packets, all[i].Bytes = all[i].Packets+d.Packets, all[i].Bytes+d.Bytes
			return all
		}
	}
	return append(all, d)
}

// number is 0 for what is none.
func number(v any) uint64 {
	text, _ := v.(json.Number)
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func dynamic(flags any) bool {
	list, ok := flags.([]any)
	if !ok {
		list = []any{flags} // one alone need not be a list
	}
	return slices.Contains(list, any("dynamic")) || slices.Contains(list, any("timeout"))
}

// passing are the members that change by themselves, by the name of what has them.
var passing = map[string][]string{
	"counter": {"packets", "bytes"},
	"quota":   {"used", "used_unit"},
	"last":    {"used"},
	"elem":    {"expires"},
}

// settle takes them out of a value and all that is in it.
func settle(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range passing[name] {
			delete(v, k)
		}
		if name == "counter" && len(v) == 0 {
			return nil // as nft -s writes it
		}
		for k, member := range v {
			v[k] = settle(k, member)
		}
	case []any:
		for i, member := range v {
			v[i] = settle("", member)
		}
	}
	return v
}
