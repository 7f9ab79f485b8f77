package observe

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

// An nftObject is one entry of what nft -j lists (libnftables-json(5)).
type nftObject struct {
	kind string
	body map[string]any
}

// parseListing reads what nft -j lists, without the line about nft itself.
func parseListing(b []byte) ([]nftObject, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // rates and marks may be larger than a float64 can tell apart
	var top struct {
		Objects *[]map[string]map[string]any `json:"nftables"`
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
	var out []nftObject
	for _, o := range *top.Objects {
		if len(o) != 1 {
			return nil, fmt.Errorf("nft's listing: an object of %d kinds", len(o))
		}
		for kind, body := range o {
			if body == nil {
				return nil, fmt.Errorf("nft's listing: an empty %s", kind)
			}
			if kind != "metainfo" {
				out = append(out, nftObject{kind, body})
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
		family, _ := o.body["family"].(string)
		name, _ := o.body["name"].(string)
		if o.kind != "table" || family == "" || name == "" {
			return nil, fmt.Errorf("nft's listing of tables: a %s %q %q", o.kind, family, name)
		}
		out = append(out, family+" "+name)
	}
	slices.Sort(out)
	return out, nil
}

// canonical is a line for each object of a listing, in nft's order, without what
// time and packets change. It takes these out of the objects.
func canonical(objects []nftObject) ([]string, error) {
	out := []string{}
	for _, o := range objects {
		delete(o.body, "handle")
		if dynamic(o.body["flags"]) {
			delete(o.body, "elem") // these come and go with packets
		}
		var w strings.Builder
		enc := json.NewEncoder(&w)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(map[string]any{o.kind: settle(o.kind, o.body)}); err != nil {
			return nil, err
		}
		out = append(out, strings.TrimSuffix(w.String(), "\n"))
	}
	return out, nil
}

// drops are the counters of the rules that drop or reject, and of those that do
// nothing but count at the end of a chain that drops, by chain in nft's order.
func drops(objects []nftObject) []state.Drop {
	var out []state.Drop
	closed := map[string]bool{}
	for _, o := range objects {
		chain, _ := o.body["chain"].(string)
		if o.kind == "chain" {
			name, _ := o.body["name"].(string)
			closed[name] = o.body["policy"] == "drop"
		}
		expr, _ := o.body["expr"].([]any)
		if o.kind != "rule" || len(expr) == 0 {
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
	return out
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

// table is what may stand after nft list table. nft reads its arguments as one
// text, in which a semicolon would start another command.
var table = regexp.MustCompile(`^(ip|ip6|inet|arp|bridge|netdev) ([A-Za-z_][\w./-]*)$`)
