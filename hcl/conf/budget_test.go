package conf

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// withBudget is a context whose expressions pay.
func withBudget(vars map[string]cty.Value) *Context {
	ctx := newContext(vars)
	ctx.Budget = NewBudget()
	ctx.Eval.Functions = Functions(ctx.Budget)
	return ctx
}

// values evaluates expressions that are separated by commas.
func values(t *testing.T, src string) []cty.Value {
	t.Helper()
	val, diags := value(t, "["+src+"]")
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return val.AsValueSlice()
}

// list is a list of so many values.
func list(n int) cty.Value {
	vals := make([]cty.Value, n)
	for i := range vals {
		vals[i] = cty.True
	}
	return cty.ListVal(vals)
}

// nested is a value so many lists deep.
func nested(n int) cty.Value {
	v := cty.True
	for range n {
		v = cty.ListVal([]cty.Value{v})
	}
	return v
}

// TestCosts gives what a call is taken to make: a unit is a value, or four bytes.
func TestCosts(t *testing.T) {
	ten := `"aaaaaaaaaa"`
	tests := []struct {
		name, args string
		want       int
	}{
		// The width of each verb, a quarter of the format, and each argument once a verb.
		{"format", `"abcdefgh"`, 1 + 8/4},
		{"format", `"%90d", 1`, 1 + 1 + 90/4 + 1},
		{"format", `"%90d%105d", 1, 2`, 1 + 9/4 + 195/4 + 2*2},
		{"format", `"%s%s%s", "aaaaaaaa"`, 1 + 6/4 + 3*3},
		{"format", `"/90:", 1`, 1 + 1 + 90/4},
		{"format", `"9/9:9", 1`, 1 + 5/4 + 18/4},
		{"format", `"%99999999999999999999d%99999999999999999999d", 1`, 1 + 44/4 + maxCost + 2},
		{"formatlist", `"%90s", ["a", "b", "c"]`, 3*(1+1+90/4) + 4},
		{"formatlist", `"%90s", tolist(["a", "b"]), toset(["a", "b", "c"])`, 3*(1+1+90/4) + 3 + 4},
		{"formatlist", `"%90s", { a = 1, b = 2 }`, 1 + 1 + 90/4 + 3},
		// So many spaces on each line.
		{"indent", `3, "a\nb\nc"`, 9},
		{"indent", `1e9, "a"`, maxSize},
		{"indent", `0, "a"`, 0},
		// As many texts as are replaced.
		{"replace", `"abcabc", "b", "12345678"`, 2 * (1 + 8/4)},
		{"join", `"12345678", ["a", "b"], ["c"]`, 3 * (1 + 8/4)},
		{"setproduct", `["a", "b"], ["c", "d", "e"]`, 2 * 2 * 3},
		{"trim", `"` + strings.Repeat("a", 30) + `", "bcd"`, (1 + 30/10) * (1 + 3)},
		{"distinct", `[` + strings.Repeat("1,", 20) + `]`, (1 + 20/10) * 20},
		{"setunion", `[` + strings.Repeat("1,", 20) + `], ["a"]`, (1 + 21/10) * 21},
		// The program of the pattern, 12 instructions for each ten of ((a|b)c), times the text.
		{"regex", `"a{50}", ` + ten, (1 + 52/10) * (1 + 10/4)},
		{"regexall", `"` + strings.Repeat("a", maxDigits) + `", ` + ten, (1 + (maxDigits+2)/10) * (1 + 10/4)},
		{"regex", `"(", "a"`, 0}, // the function says what is wrong
		{"jsondecode", `"[[[1]]]"`, 0},
	}
	for _, tt := range tests {
		args := values(t, tt.args)
		if got, err := costs[tt.name](args); got != tt.want || err != nil {
			t.Errorf("%s(%.60s) costs %d, want %d (%v)", tt.name, tt.args, got, tt.want, err)
		}
	}
}

func TestTooCostlyCalls(t *testing.T) {
	tests := []struct {
		name string
		args []cty.Value
		want error
	}{
		{"format", []cty.Value{cty.StringVal("%s"), nested(maxNesting + 1)}, errNesting},
		{"indent", []cty.Value{cty.NumberIntVal(-1), cty.StringVal("a")}, errSize},
		{"indent", []cty.Value{cty.NumberFloatVal(1e30), cty.StringVal("a")}, errSize},
		{"indent", []cty.Value{cty.NumberFloatVal(1.5), cty.StringVal("a")}, errSize},
		{"regex", []cty.Value{cty.StringVal(strings.Repeat("a", maxDigits+1)), cty.StringVal("a")}, errSize},
		{"jsondecode", []cty.Value{cty.StringVal(strings.Repeat("[", 10000))}, errNesting},
		{"jsondecode", []cty.Value{cty.StringVal(strings.Repeat("1", maxDigits+1))}, errDigits},
		{"jsondecode", []cty.Value{cty.StringVal("[" + strings.Repeat("1", maxDigits+1))}, errDigits},
	}
	for _, tt := range tests {
		if _, err := costs[tt.name](tt.args); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestBounded has calls pay before they are made, up to the size of the largest value.
func TestBounded(t *testing.T) {
	set := func(n int) cty.Value {
		vals := make([]cty.Value, n)
		for i := range vals {
			vals[i] = cty.NumberIntVal(int64(i))
		}
		return cty.SetVal(vals)
	}
	b := NewBudget()
	product := Functions(b)["setproduct"]
	typeOf := func(args ...cty.Value) error {
		_, err := product.ReturnTypeForValues(args)
		return err
	}
	if err := typeOf(set(512), set(512)); err != nil || b.spent != maxSize {
		t.Errorf("%d spent: %v", b.spent, err)
	}
	if err := typeOf(set(512), set(513)); err == nil || err.Error() != "setproduct costs too much: "+errSize.Error() || b.spent != maxSize {
		t.Errorf("%d spent: %v", b.spent, err)
	}
	if err := typeOf(set(512), cty.UnknownVal(cty.Set(cty.Number))); err != nil || b.spent != maxSize {
		t.Errorf("what is not known costs nothing: %d spent: %v", b.spent, err)
	}
	for range 3 {
		if err := typeOf(set(512), set(512)); err != nil {
			t.Errorf("%d spent: %v", b.spent, err)
		}
	}
	if err := typeOf(set(1), set(1)); !errors.Is(err, errCost) {
		t.Errorf("%d spent: %v", b.spent, err)
	}
	if err := Functions(nil)["setproduct"]; err.Description() == "" {
		t.Error("a bounded function lost its description")
	}
}

// TestMeasure counts values and bytes, and the pairs of a tuple or an object.
func TestMeasure(t *testing.T) {
	tests := []struct {
		src      string
		n, pairs int
	}{
		{"null", 1, 0},
		{"true", 1, 0},
		{"5", 1, 0},
		{`"abcdefgh"`, 1 + 8/4, 0},
		{`["a", "b", "c"]`, 4, 9},
		{`tolist(["a", "b", "c"])`, 4, 0},
		{`toset(["abcdefgh"])`, 1 + 3, 0},
		{`{ abcdefgh = 1 }`, 1 + 8/4 + 1, 1},
		{`tomap({ abcdefgh = 1 })`, 1 + 8/4 + 1, 0},
		{`[[1, 2], [3, 4, 5]]`, 8, 4 + 4 + 9},
	}
	for _, tt := range tests {
		n, pairs, err := measure(values(t, tt.src)[0])
		if n != tt.n || pairs != tt.pairs || err != nil {
			t.Errorf("%s: %d and %d pairs, want %d and %d (%v)", tt.src, n, pairs, tt.n, tt.pairs, err)
		}
	}
	if n, err := size(cty.NilVal); n != 1 || err != nil {
		t.Error(n, err)
	}
	// A look costs a tenth of the values and a part of the pairs.
	b := NewBudget()
	if err := b.look(values(t, "["+strings.Repeat("1,", 100)+"]")[0]); err != nil || b.spent != 1+101/10+10000/500 {
		t.Errorf("%d spent: %v", b.spent, err)
	}
}

// TestSize has values of the largest size and depth, and what is just beyond.
func TestSize(t *testing.T) {
	digits := strings.Repeat("0123456789", maxDigits/10)
	two := func(exp int) cty.Value { return cty.NumberVal(new(big.Float).SetMantExp(big.NewFloat(1), exp)) }
	text := func(s string) cty.Value { return cty.StringVal(s) }
	tests := []struct {
		name string
		val  cty.Value
		want error
	}{
		{"a text", text(strings.Repeat("a", 4*(maxSize-1))), nil},
		{"a larger text", text(strings.Repeat("a", 4*maxSize)), errSize},
		{"a list", list(maxSize - 1), nil},
		{"a larger list", list(maxSize), errSize},
		{"a deep list", nested(maxNesting), nil},
		{"a deeper list", nested(maxNesting + 1), errNesting},
		{"what is wrong in a list", cty.ListVal([]cty.Value{text(digits + "1"), text("a")}), errDigits},
		{"a number", two(999), nil},
		{"a larger number", two(1000), errTooLarge},
		{"infinity", cty.PositiveInfinity, errTooLarge},
		{"as many digits as a number has", text(digits), nil},
		{"more digits", text(digits + "0"), errDigits},
		{"a negative number", text("-" + digits), errDigits},
		{"a positive number", text("+" + digits), errDigits},
		{"a fraction", text("0." + digits), errDigits},
		{"more digits and a word", text(digits + "0 apples"), errDigits},
		{"a word and digits", text("a" + digits), nil},
		{"a date", text("2026-11-28 " + digits), nil},
		{"a path", text("0/" + digits), nil},
		{"a ratio", text("0:" + digits), nil},
	}
	for _, tt := range tests {
		if _, err := size(tt.val); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestUsedUp spends a budget to its end. What used it up is told once.
func TestUsedUp(t *testing.T) {
	at := hcl.Range{Filename: "a.hcl"}
	b := NewBudget()
	if err := b.spend(maxCost); err != nil || b.usedUp(at) != nil {
		t.Error("the last unit cannot be spent: ", err)
	}
	for range 2 {
		if err := b.spend(1); !errors.Is(err, errCost) {
			t.Error(err)
		}
	}
	var got []string
	for range 3 {
		got = append(got, diag.Code(b.usedUp(at)))
	}
	if d := cmp.Diff([]string{"too-costly", "follows", "follows"}, got); d != "" {
		t.Error(d)
	}
	var none *Budget
	if err := none.spend(2 * maxCost); err != nil || none.usedUp(at) != nil {
		t.Error("no budget bounds something: ", err)
	}
}

// paid evaluates an expression that stands in the middle of a file, and says what it cost.
// before is what has been spent already.
func paid(t *testing.T, src string, vars map[string]cty.Value, before int) (int, hcl.Diagnostics) {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "test.hcl", hcl.Pos{Line: 10, Column: 1, Byte: 1000})
	if diags.HasErrors() {
		t.Fatalf("%.60s: %s", src, diags)
	}
	ctx := withBudget(vars)
	ctx.Budget.spent = before
	if diags := ctx.Budget.guard(e); diags.HasErrors() {
		return 0, diags
	}
	_, diags = ctx.eval(e)
	return ctx.Budget.spent, diags
}

// TestEvaluationCosts: 1 for the expression, 1 for each 64 bytes of it, and its value; 1
// and a look, which is 1 and a tenth, for each expression inside that is counted.
func TestEvaluationCosts(t *testing.T) {
	const (
		expr = 1
		look = 1 + 1
	)
	ten := cty.StringVal("aaaaaaaaaa")
	tests := []struct {
		src  string
		want int
	}{
		{`true`, expr + 1},
		{`"` + strings.Repeat("a", 638) + `"`, expr + 640/64 + 1 + 638/4},
		{`[1, 2]`, expr + 3},
		{`upper("a")`, expr + look + 1},
		{`upper(ten)`, expr + look + 1 + 10/4},
		{`[for a in [1, 2, 3] : a]`, expr + 3*(look+1) + 4},
		{`[for a in [1, 2, 3] : a if a > 5]`, expr + 4*(look+1+look) + 1}, // HCL tries the condition once more
		{`{ for a in ["x", "y"] : a => 1 }`, expr + 2*(2*(look+1)) + 3},
		{`"${ten}-${ten}"`, expr + 2*(look+1+10/4) + 1 + 21/4},
		{`[1, 2][*]`, expr + 2*(look+1) + 3},
		{`ten == ten`, expr + 2*look + 1},
		{`!(ten == "a")`, expr + 2*look + 1},
		{`true ? ten : ten`, expr + 2*look + 1 + 10/4},
		{`[5][ten == "a" ? 0 : 0]`, expr + 2*look + 1},
		{`{ (ten) = 1 }`, expr + look + 1 + 10/4 + 1},
		{`{ ten = 1 }`, expr + 2},
	}
	for _, tt := range tests {
		got, diags := paid(t, tt.src, map[string]cty.Value{"ten": ten}, 0)
		if got != tt.want || len(diags) > 0 {
			t.Errorf("%.60s costs %d, want %d %v", tt.src, got, tt.want, diags)
		}
	}
}

// TestCostsAreSaid: one diagnostic says what costs too much, and hides what else is wrong.
func TestCostsAreSaid(t *testing.T) {
	vars := map[string]cty.Value{"k": list(100000)}
	tests := []struct {
		src          string
		left         int
		code, detail string
	}{
		{`[for a in k : [for b in k : 1]]`, 5000, "too-costly", "The expressions of this spec make more than any router needs, and would take minutes or all of the memory. The one here is where it became too much. Let it go through shorter lists, or write the result itself."},
		{`try([for a in k : [for b in k : 1]], 1)`, 5000, "too-costly", "The expressions of this spec make more than any router needs, and would take minutes or all of the memory. The one here is where it became too much. Let it go through shorter lists, or write the result itself."},
		{`[k, k, k, k, k, k]`, maxCost, "too-costly", "This makes a larger value than any router needs. Write the value itself, and shorter."},
		{`["${1e300 * 1e300}x", nothing]`, maxCost, "bad-value", "The number is too large."},
		{`[nothing, "${1e300 * 1e300}x"]`, maxCost, "bad-value", "The number is too large."},
		{`1e300 * 1e300`, maxCost, "bad-value", "The number is too large."},
		{strings.Repeat("[", maxNesting+2) + strings.Repeat("]", maxNesting+2), maxCost, "too-costly", "This makes a value that is nested deeper than 200. Write the value itself, and shorter."},
	}
	for _, tt := range tests {
		_, diags := paid(t, tt.src, vars, maxCost-tt.left)
		if len(diags) != 1 || diag.Code(diags[0]) != tt.code || diag.Text(diags[0]) != tt.detail {
			t.Errorf("%.60s: %v, want %s: %s", tt.src, diags, tt.code, tt.detail)
		}
	}
}

// TestGuardDepth has expressions within each other: the parentheses and the number are
// one each. What stands side by side is no depth.
func TestGuardDepth(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(", n-1) + "1" + strings.Repeat(")", n-1) }
	tests := []struct {
		name, src string
		want      []string
	}{
		{"side by side", "[" + strings.Repeat("1,", 2*maxDepth) + "]", nil},
		{"deep", deep(maxDepth), nil},
		{"deeper", deep(maxDepth + 1), []string{"10 too-deep"}},
		{"much deeper, said once", "[" + deep(maxDepth+5) + "," + deep(maxDepth+5) + "]", []string{"10 too-deep"}},
	}
	for _, tt := range tests {
		_, diags := paid(t, tt.src, nil, 0)
		if d := cmp.Diff(tt.want, codes(diags)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// TestBudgetOfJSON has texts in JSON, which are templates. Little is left of the budget.
func TestBudgetOfJSON(t *testing.T) {
	tests := []struct {
		name, any string
		want      []string
	}{
		{"a text", `"a $ { b"`, nil},
		{"a template", `{"a": ["${local.n + 1}"]}`, nil},
		{"a template as a key", `{"${local.n}": 1}`, nil},
		{"not there", `"${local.none}"`, []string{"1 no-such-attribute"}},
		{"no template", `"${"`, []string{"1 expression"}},
		{"loops", `"${[for a in range(100) : [for b in range(100) : [for c in range(100) : 1]]]}"`, []string{"1 too-costly"}},
		{"loops in a text", `"%{for a in range(100)}%{for b in range(100)}${[for c in range(100) : 1]}%{endfor}%{endfor}"`, []string{"1 too-costly"}},
		{"loops in a key", `{"${join(\"\", [for a in range(100) : join(\"\", [for b in range(100) : \"xxxx\"])])}": 1}`, []string{"1 too-costly"}},
		{"brackets", `"${` + strings.Repeat("[", 10000) + `"`, []string{"1 too-deep"}},
		{"expressions", `"${` + strings.Repeat("1*", maxDepth) + `1}"`, []string{"1 too-deep"}},
		{"both in one list", `["${` + strings.Repeat("[", 10000) + `", "${` + strings.Repeat("[", 10000) + `"]`, []string{"1 too-deep"}},
		{"a number", `1e999999`, []string{"1 bad-value"}},
		{"a computed number", `"x${1e300 * 1e300}"`, []string{"1 bad-value"}},
		{"null", `null`, nil},
	}
	local := map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{"n": cty.NumberIntVal(1)})}
	for _, tt := range tests {
		src := fmt.Sprintf(`{"thing": {"a": {"color": "red", "any": %s}}}`, tt.any)
		ctx := withBudget(local)
		ctx.Budget.spent = maxCost - 5000
		_, diags := decode(t, src, ctx)
		if d := cmp.Diff(tt.want, codes(diags)); d != "" {
			t.Errorf("%s: %s\n%v", tt.name, d, diags)
		}
	}
}
