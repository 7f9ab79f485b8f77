package service_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// bombHead is a good router around a bomb.
const bombHead = "router \"r\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"4GiB\"\n  state_version = \"25.11\"\n  console_only  = true\n}\n"

// doubling is a chain of locals that each hold the one before twice.
func doubling(first, each string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "l0 = %s\n", first)
	for i := range n {
		fmt.Fprintf(&b, "l%d = %s\n", i+1, strings.ReplaceAll(each, "_", fmt.Sprintf("local.l%d", i)))
	}
	return b.String()
}

// thousand is a list of so many values.
const thousand = "k = [for a in range(1000) : a]\n"

// bombs are locals that are small in a file and large, or slow, when they are evaluated,
// with the code of what is said of them.
var bombs = map[string]struct{ text, code string }{
	"texts":                 {doubling(`"xxxxxxxxxxxxxxxx"`, `"${_}${_}"`, 40), "too-costly"},
	"one text":              {doubling(`"xxxxxxxxxxxxxxxx"`, `"${_}${_}"`, 10) + "z = \"" + strings.Repeat("${local.l10}", 20000) + "\"\n", "too-costly"},
	"lists":                 {doubling("[1]", "[_, _]", 40), "too-costly"},
	"objects":               {doubling("{ a = 1 }", "{ a = _, b = _ }", 40), "too-costly"},
	"concat":                {doubling("[1]", "concat(_, _)", 40), "too-costly"},
	"join":                  {doubling(`"xxxxxxxxxxxxxxxx"`, `join(_, ["a", "b", _])`, 40), "function-call"},
	"format":                {doubling(`"xxxxxxxxxxxxxxxx"`, `format("%s%s", _, _)`, 40), "function-call"},
	"replace":               {doubling(`"xxxxxxxxxxxxxxxx"`, `replace(_, "x", _)`, 10), "function-call"},
	"jsonencode":            {doubling(`"\"\\"`, `jsonencode(_)`, 40), "too-costly"},
	"flatten":               {doubling("[1]", "flatten([_, _])", 40), "too-costly"},
	"merge":                 {doubling(`{ a = 1 }`, `merge(_, { for k, v in _ : "${k}x" => v }, { for k, v in _ : "${k}y" => v })`, 40), "too-costly"},
	"nested loops":          {thousand + "z = [for a in local.k : [for b in local.k : [for c in local.k : 1]]]\n", "too-costly"},
	"loops that keep none":  {thousand + "z = [for a in local.k : [for b in local.k : [for c in local.k : 1 if false]]]\n", "too-costly"},
	"loops in a text":       {thousand + "z = \"%{for a in local.k}%{for b in local.k}%{for c in local.k}xxxx%{endfor}%{endfor}%{endfor}\"\n", "too-costly"},
	"loops of objects":      {thousand + "z = { for a in local.k : a => { for b in local.k : b => { for c in local.k : c => 1 } } }\n", "too-costly"},
	"loops that try":        {thousand + "z = try([for a in local.k : [for b in local.k : [for c in local.k : 1]]], 1)\n", "too-costly"},
	"loops that can":        {thousand + "z = can([for a in local.k : [for b in local.k : [for c in local.k : 1]]])\n", "too-costly"},
	"splat":                 {thousand + "y = [for a in local.k : { a = local.k }]\nz = local.y[*].a[*]\n", "too-costly"},
	"grouped":               {thousand + "z = { for a in local.k : \"x\" => local.k... }\n", "too-costly"},
	"setproduct":            {thousand + "z = setproduct(local.k, local.k, local.k)\n", "function-call"},
	"width":                 {`z = format("%1000000000d", 1)` + "\n", "function-call"},
	"precision":             {`z = format("%.1000000000f", 1)` + "\n", "function-call"},
	"widths":                {thousand + `z = formatlist("%99999d", local.k)` + "\n", "function-call"},
	"one argument for many": {doubling(`"xxxxxxxxxxxxxxxx"`, `"${_}${_}"`, 14) + `z = format("` + strings.Repeat("%[1]s", 5000) + `", local.l14)` + "\n", "function-call"},
	"indent":                {`z = indent(1000000000, "a\nb")` + "\n", "function-call"},
	"regex":                 {doubling(`"aaaaaaaaaaaaaaaa"`, `"${_}${_}"`, 14) + `z = regexall("((a?){100}){10}", local.l14)` + "\n", "function-call"},
	"trim":                  {doubling(`"aaaaaaaaaaaaaaaa"`, `"${_}${_}"`, 14) + `z = trim(local.l14, "ü${local.l14}")` + "\n", "function-call"},
	"distinct":              {thousand + "y = flatten([for a in range(50) : [for b in local.k : b + a * 1000]])\nz = distinct(local.y)\n", "too-costly"},
	"a number as a text":    {"z = tostring(1e9999999)\n", "bad-value"},
	"a number in a text":    {"z = \"${1e9999999}x\"\n", "bad-value"},
	"a computed number":     {"z = \"${1e300 * 1e300 * 1e300}x\"\n", "bad-value"},
	"a number as a key":     {"z = { (1e300 * 1e300) = 1 }\n", "bad-value"},
	"a number as JSON":      {`z = jsonencode(jsondecode("1e9999999"))` + "\n", "bad-value"},
	"a number from a text":  {`z = tonumber("1e9999999")` + "\n", "bad-value"},
	"a number of a choice":  {"z = true ? 1e300 * 1e300 : \"a\"\n", "bad-value"},
	"many digits":           {"z = 1" + strings.Repeat("0", 100000) + "\n", "long-number"},
	"many digits, doubled":  {doubling(`"9999999999999999"`, `"${_}${_}"`, 14) + "z = local.l14 + 1\n", "too-costly"},
	"many digits in JSON":   {doubling(`"9999999999999999"`, `"${_}${_}"`, 14) + "z = jsondecode(local.l14)\n", "too-costly"},
	"brackets in JSON":      {doubling(`"[[[[[[[[[[[[[[[["`, `"${_}${_}"`, 14) + "z = jsondecode(local.l14)\n", "function-call"},
	"a deep value":          {doubling("[1]", "[_]", 1000), "too-costly"},
	"operators":             {"z = 1" + strings.Repeat("*1", 200000) + "\n", "too-deep"},
	"a large list compared": {thousand + "y = [for a in range(200) : local.k]\nz = [" + strings.Repeat("local.y == local.y, ", 2000) + "]\n", "too-costly"},
	"names that are not there": {func() string {
		var b strings.Builder
		for i := range 10000 {
			fmt.Fprintf(&b, "l%d = try(local.none%d, local[\"l1\"])\n", i, i)
		}
		return b.String()
	}(), "too-costly"},
}

// TestBombs loads specs that are small and would take all of the time or the memory. The
// test counts what is allocated, in bytes and in pieces: time says nothing on a machine
// that has others to serve.
func TestBombs(t *testing.T) {
	for name, tt := range bombs {
		t.Run(name, func(t *testing.T) {
			detonate(t, fstest.MapFS{"router.hcl": {Data: []byte(bombHead + "locals {\n" + tt.text + "}\n")}}, tt.code)
		})
	}
}

// detonate wants one kind of error, and little to be allocated.
func detonate(t *testing.T, fsys fstest.MapFS, code string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, diags := registry().Load(fsys, nil)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 2<<30 {
		t.Errorf("%d MiB allocated", bytes>>20)
	}
	if pieces := after.Mallocs - before.Mallocs; pieces > 40_000_000 {
		t.Errorf("%d pieces of memory allocated", pieces)
	}
	t.Logf("%d MiB, %d pieces", (after.TotalAlloc-before.TotalAlloc)>>20, after.Mallocs-before.Mallocs)
	if len(diags) == 0 {
		t.Fatal("nothing is said of it")
	}
	for _, d := range diags {
		wellFormed(t, d)
		if len(d.Detail) > 1000 {
			t.Errorf("a message of %d bytes", len(d.Detail))
		}
	}
	if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return diag.Code(d) == code }) {
		t.Errorf("no %s in\n%s", code, details(diags[:min(len(diags), 5)]))
	}
}

// TestBombsInJSON has the same in JSON, where every text is a template that is parsed when
// it is evaluated.
func TestBombsInJSON(t *testing.T) {
	list := make([]int, 1000)
	for name, tt := range map[string]struct {
		locals map[string]any
		code   string
	}{
		"loops":    {map[string]any{"k": list, "z": "${[for a in local.k : [for b in local.k : [for c in local.k : 1]]]}"}, "too-costly"},
		"text":     {map[string]any{"k": list, "z": "%{for a in local.k}%{for b in local.k}%{for c in local.k}xxxx%{endfor}%{endfor}%{endfor}"}, "too-costly"},
		"key":      {map[string]any{"k": list, "z": map[string]any{"${join(\"\", flatten([for a in local.k : [for b in local.k : [for c in local.k : 1]]]))}": 1}}, "too-costly"},
		"number":   {map[string]any{"z": "${tostring(1e9999999)}"}, "bad-value"},
		"brackets": {map[string]any{"z": "${" + strings.Repeat("[", 100000) + "}"}, "too-deep"},
		"escaped":  {map[string]any{"z": "ESC"}, "too-deep"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := json.Marshal(map[string]any{"locals": tt.locals})
			if err != nil {
				t.Fatal(err)
			}
			b = []byte(strings.ReplaceAll(string(b), "ESC", "${"+strings.Repeat(`\u005b`, 100000)+"}"))
			detonate(t, fstest.MapFS{"router.hcl": {Data: []byte(bombHead)}, "more.hcl.json": {Data: b}}, tt.code)
		})
	}
}

// TestBombsOfBlocks multiplies blocks, and values that come from outside.
func TestBombsOfBlocks(t *testing.T) {
	for name, tt := range map[string]struct{ text, vars, code string }{
		"for_each":                {text: "locals {\n" + thousand + "}\nsecret \"s\" {\n  for_each = toset(flatten([for a in range(30) : [for b in local.k : \"k${a * 1000 + b}\"]]))\n  path = \"/run/${each.key}\"\n}\n", code: "too-costly"},
		"for_each in for_each":    {text: "locals {\n  k = toset([for a in range(1000) : \"k${a}\"])\n}\ndhcp4 \"d\" {\n  for_each = local.k\n  network = network.x\n  reservation \"r\" {\n    for_each = local.k\n  }\n}\n", code: "too-costly"},
		"a variable's expression": {text: "variable \"x\" {\n  type = list(list(list(number)))\n}\n", vars: "[for a in [" + strings.Repeat("1,", 300) + "] : [for b in [" + strings.Repeat("1,", 300) + "] : [for c in [" + strings.Repeat("1,", 300) + "] : 1]]]", code: "bad-value"},
		"a variable's brackets":   {text: "variable \"x\" {\n  type = list(list(list(number)))\n}\n", vars: strings.Repeat("[", 1000000), code: "too-costly"},
		"a variable's number":     {text: "variable \"x\" {\n  type = number\n}\nlocals {\n  z = \"${var.x}x\"\n}\n", vars: "1e9999999", code: "bad-value"},
		"a type in brackets":      {text: "variable \"x\" {\n  type = " + strings.Repeat("list(", 5000) + "string" + strings.Repeat(")", 5000) + "\n}\n", code: "too-deep"},
		"a secret's loop":         {text: "user \"root\" {\n  hashed_password_file = [for a in [" + strings.Repeat("1,", 300) + "] : [for b in [" + strings.Repeat("1,", 300) + "] : [for c in [" + strings.Repeat("1,", 300) + "] : 1]]]\n}\n", code: "not-a-reference"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"router.hcl": {Data: []byte(bombHead + tt.text)}}
			if tt.vars != "" {
				b, err := json.Marshal(map[string]string{"x": tt.vars})
				if err != nil {
					t.Fatal(err)
				}
				fsys["nbr.vars.json"] = &fstest.MapFile{Data: b}
			}
			detonate(t, fsys, tt.code)
		})
	}
}

// TestManyLocals takes fifty thousand locals of which each needs the one before: that is
// slow where each is looked for among all of them, and no bomb.
func TestManyLocals(t *testing.T) {
	var b strings.Builder
	const n = 50000
	for i := n; i > 0; i-- { // each before the one that it needs
		fmt.Fprintf(&b, "l%d = local.l%d + 1\n", i, i-1)
	}
	src := bombHead + "locals {\n" + b.String() + "l0 = 0\n}\n"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, diags := registry().Load(fstest.MapFS{"router.hcl": {Data: []byte(src)}}, nil)
	runtime.ReadMemStats(&after)
	if len(diags) > 0 {
		t.Fatal(details(diags[:min(len(diags), 5)]))
	}
	if pieces := (after.Mallocs - before.Mallocs) / n; pieces > 500 {
		t.Errorf("%d pieces of memory for each local", pieces)
	}
}
