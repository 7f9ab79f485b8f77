package mistakes

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A number in a literal: 1500, the 24 of "10.0.0.1/24", the 12 of "12h". What stands in a key
// or a hash is none.
var number = regexp.MustCompile(`(?:^|[^0-9A-Za-z+])([0-9]{1,10})(?:[a-zA-Z]{1,3}"$|[^0-9A-Za-z+]|$)`)

// limits are what the type of an argument takes.
type limits struct {
	least, most int64
	bare        bool // there is no limit
}

// beyondAll is where a number counts as one without a limit.
const beyondAll = 1 << 40

// Numbers that programs count to, for arguments that take any number.
var famous = []int64{math.MaxInt16, math.MaxUint16 + 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64}

// longest is the longest text that is tried.
const longest = 4096

// bounds puts the numbers in a literal, and its length, to what the type of the argument takes
// and one beyond. The type is asked: no bound is written down here.
func (e *editor) bounds(at hcl.Range, text string) {
	if len(text) > 80 {
		return // a key
	}
	runs := number.FindAllStringSubmatchIndex(text, -1)
	for i, run := range runs {
		if i > 0 && i < len(runs)-2 {
			continue // in the middle of an address
		}
		e.numbers(at, text[:run[2]], text[run[2]:run[3]], text[run[3]:])
	}
	if strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) && len(text) > 2 {
		e.lengths(at, text[:len(text)-1])
	}
}

func (e *editor) numbers(at hcl.Range, before, digits, behind string) {
	n, _ := strconv.ParseInt(digits, 10, 64)
	l := e.numberLimits(before, n, behind)
	put := func(edit string, n int64) { e.add(edit, at, before+strconv.FormatInt(n, 10)+behind) }
	if before == "" || l.least > 0 {
		put(Beyond, l.least-1)
	}
	put(Bound, l.least)
	if !l.bare {
		put(Bound, l.most)
		put(Beyond, l.most+1)
		return
	}
	for _, f := range famous {
		put(Bound, f)
	}
}

// numberLimits finds the least and the largest number that the type of the argument takes in
// the place of n, if what it takes is a range.
func (e *editor) numberLimits(before string, n int64, behind string) limits {
	key := fmt.Sprint(e.path, " ", before, n, behind)
	if l, ok := e.limits[key]; ok {
		return l
	}
	takes := func(n int64) bool { return e.takes(before + strconv.FormatInt(n, 10) + behind) }
	l := limits{least: n, most: n}
	floor := int64(0)
	if before == "" {
		floor = -beyondAll
	}
	l.least = n - search(func(d int64) bool { return n-d >= floor && takes(n-d) })
	d := search(func(d int64) bool { return takes(n + d) })
	l.most, l.bare = n+d, d >= beyondAll
	e.limits[key] = l
	return l
}

// search is the largest d of which fits is true, if it is of all below; at most beyondAll.
func search(fits func(d int64) bool) int64 {
	step := int64(1)
	for fits(step) {
		if step *= 2; step >= beyondAll {
			return beyondAll
		}
	}
	low, high := step/2, step // low fits
	for high-low > 1 {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// lengths makes a text as long as its type takes it, and longer.
func (e *editor) lengths(at hcl.Range, open string) {
	long := func(n int64) string { return open + strings.Repeat("a", int(n)) + `"` }
	key := e.path + " " + open
	l, ok := e.limits[key]
	if !ok {
		n := search(func(d int64) bool { return d <= longest && e.takes(long(d)) })
		l = limits{most: n, bare: n == longest}
		e.limits[key] = l
	}
	switch {
	case l.bare:
		e.add(Bound, at, long(longest))
	case l.most > 0:
		e.add(Bound, at, long(l.most))
		e.add(Beyond, at, long(l.most+1))
	}
}

// takes asks the type of the argument about a literal.
func (e *editor) takes(literal string) bool {
	if e.schema.List {
		literal = "[" + literal + "]"
	}
	var b strings.Builder
	for _, t := range e.types[1:] {
		b.WriteString(t)
		b.WriteString(" \"x\" {\n")
	}
	from := b.Len()
	fmt.Fprintf(&b, "%s = %s\n%s", e.attr.Name, literal, strings.Repeat("}\n", len(e.types)-1))
	f, diags := hclsyntax.ParseConfig([]byte(b.String()), e.name, hcl.InitialPos)
	if diags.HasErrors() {
		return false
	}
	i := slices.IndexFunc(e.maker.types, func(t conf.BlockType) bool { return t.Type == e.types[0] })
	ctx := &conf.Context{Eval: &hcl.EvalContext{}, Budget: conf.NewBudget()}
	for _, d := range conf.Decode(f.Body, e.maker.types[i].New(), ctx) {
		if d.Severity == hcl.DiagError && d.Subject != nil && d.Subject.Start.Byte > from && d.Subject.Start.Byte < from+len(e.attr.Name)+len(" = ")+len(literal) {
			return false
		}
	}
	return true
}
