package nft

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
)

func TestTables(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { return parseTables(b) },
		looktest.Is("two", `{"nftables": [{"metainfo": {"version": "1.1.7"}}, {"table": {"family": "ip", "name": "b", "handle": 1}}, {"table": {"family": "inet", "name": "a", "handle": 2}}]}`, []string{"inet a", "ip b"}),
		looktest.Is("none", `{"nftables": [{"metainfo": {}}]}`, []string{}),
		looktest.Fails("nothing", "", "EOF"),
		looktest.Fails("cut off", `{"nftables": [{"table": {"fam`, "EOF"),
		looktest.Fails("not a listing", `{}`, `no "nftables"`),
		looktest.Fails("null", `null`, `no "nftables"`),
		looktest.Fails("two listings", `{"nftables": []} {}`, "more than one"),
		looktest.Fails("other words", `{"nftables": ["table"]}`, "cannot unmarshal"),
		looktest.Fails("two kinds", `{"nftables": [{"table": {}, "chain": {}}]}`, "2 kinds"),
		looktest.Fails("an empty one", `{"nftables": [{"table": null}]}`, "an empty table"),
		looktest.Fails("no name", `{"nftables": [{"table": {"family": "ip"}}]}`, `"ip" ""`),
		looktest.Fails("a chain", `{"nftables": [{"chain": {"family": "ip", "name": "x"}}]}`, "a chain"),
		looktest.Fails("deep", strings.Repeat("[", 20000), "exceeded max depth"),
	)
}

func TestCanonical(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) {
		lines, err := listed(fmt.Appendf(nil, `{"nftables": [{"metainfo": {"version": "1"}}, %s]}`, b))
		return strings.Join(lines, "\n"), err
	},
		looktest.Is("handles go, members are sorted", `{"table": {"name": "nbr", "handle": 7, "family": "inet"}}`, `{"table":{"family":"inet","name":"nbr"}}`),
		looktest.Is("a rule's counter", `{"rule": {"expr": [{"counter": {"packets": 1, "bytes": 2}}, {"accept": null}], "handle": 3}}`, `{"rule":{"expr":[{"counter":null},{"accept":null}]}}`),
		looktest.Is("the same by nft -s", `{"rule": {"expr": [{"counter": null}, {"accept": null}], "handle": 9}}`, `{"rule":{"expr":[{"counter":null},{"accept":null}]}}`),
		looktest.Is("a counter with a name, used by a rule", `{"counter": {"name": "c", "packets": 1, "bytes": 2}}, {"rule": {"expr": [{"counter": "c"}]}}`, `{"counter":{"name":"c"}}`+"\n"+`{"rule":{"expr":[{"counter":"c"}]}}`),
		looktest.Is("a quota keeps what it allows", `{"quota": {"name": "q", "bytes": 5, "used": 3}}`, `{"quota":{"bytes":5,"name":"q"}}`),
		looktest.Is("elements of a set", `{"set": {"name": "s", "elem": [{"elem": {"val": "10.0.0.1", "counter": {"packets": 3, "bytes": 4}}}]}}`, `{"set":{"name":"s"}}`+"\n"+`{"element":{"elem":{"elem":{"counter":null,"val":"10.0.0.1"}},"set":"s"}}`),
		looktest.Is("elements of a set with a comment", `{"set": {"name": "s", "comment": "c", "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, "192.0.2.1"]}}`,
			`{"set":{"comment":"c","name":"s"}}`+"\n"+`{"element":{"comment":"c","elem":{"prefix":{"addr":"10.0.0.0","len":8}},"set":"s"}}`+"\n"+`{"element":{"comment":"c","elem":"192.0.2.1","set":"s"}}`),
		looktest.Is("elements that come with packets", `{"set": {"name": "s", "flags": ["timeout"], "elem": ["10.0.0.1"]}}, {"set": {"name": "t", "flags": "dynamic", "elem": [1]}}`, `{"set":{"flags":["timeout"],"name":"s"}}`+"\n"+`{"set":{"flags":"dynamic","name":"t"}}`),
		looktest.Is("large numbers and signs are kept", `{"rule": {"expr": [18446744073709551615, "<&>"]}}`, `{"rule":{"expr":[18446744073709551615,"<&>"]}}`),
		looktest.Is("an unknown expression", `{"rule": {"expr": [{"xyzzy": {"handle": 3}}]}}`, `{"rule":{"expr":[{"xyzzy":{"handle":3}}]}}`),
		looktest.Is("rules keep their order", `{"rule": {"expr": ["b"]}}, {"rule": {"expr": ["a"]}}`, `{"rule":{"expr":["b"]}}`+"\n"+`{"rule":{"expr":["a"]}}`),
	)
}

// A listing in its canonical form is its own canonical form.
func FuzzNFT(f *testing.F) {
	for _, s := range []string{
		`{"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "nbr", "handle": 1}}]}`,
		`{"nftables": [{"rule": {"expr": [{"counter": {"packets": 1, "bytes": 2}}, {"xt": null}]}}]}`,
		`{"nftables": [{"set": {"flags": ["dynamic"], "elem": [{"elem": {"val": 1, "expires": 2}}]}}]}`,
		`{"nftables": [{"set": {"name": "s", "elem": [["a"], {"elem": {"val": 1}}]}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseTables(b)
		once, err := listed(b)
		if err != nil {
			return
		}
		twice, err := listed([]byte(`{"nftables":[` + strings.Join(once, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(once, twice); d != "" && len(once) > 0 {
			t.Error(d)
		}
	})
}

// listed is what is compared of a listing.
func listed(b []byte) ([]string, error) {
	objects, err := parseListing(b)
	if err != nil {
		return nil, err
	}
	return canonical(objects)
}
