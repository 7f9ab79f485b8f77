package all_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// others are expressions for other values of the attribute, made from its type and from
// the value that it has. Which of them are good is for the language to say.
func (o *occurrence) others(a conf.Attribute) []string {
	if !a.List {
		return append(o.scalars(a, o.expr), o.elsewhere()...)
	}
	list, ok := o.expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil
	}
	out := o.elsewhere()
	for i, e := range list.Exprs {
		for _, text := range o.scalars(a, e) {
			var items []string
			for j, item := range list.Exprs {
				if j == i {
					items = append(items, text)
				} else {
					items = append(items, o.of(item))
				}
			}
			out = append(out, "["+strings.Join(items, ", ")+"]")
		}
	}
	return out
}

// elsewhere are the values that the attribute has in other places.
func (o *occurrence) elsewhere() []string {
	var out []string
	for _, p := range o.everywhere {
		v, diags := p.expr.Value(nil)
		if text := p.text(); !diags.HasErrors() && !v.Type().IsObjectType() && text != o.text() && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// scalars are other values than that of one expression.
func (o *occurrence) scalars(a conf.Attribute, e hclsyntax.Expression) []string {
	if typ, ok := strings.CutPrefix(a.Type, "reference to "); ok {
		return without(o.references(typ), o.of(e))
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() || v.IsNull() {
		return nil // it is computed
	}
	switch {
	case v.Type() == cty.Bool:
		return []string{fmt.Sprint(v.False())}
	case v.Type() == cty.Number:
		n, _ := v.AsBigFloat().Int64()
		return []string{fmt.Sprint(n + 1), fmt.Sprint(n - 1)}
	case v.Type() == cty.String:
		var out []string
		for _, text := range append(words(a.Type), texts(v.AsString())...) {
			out = append(out, string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes()))
		}
		return without(out, o.of(e))
	}
	// An object is what the user adds to a program's own settings.
	out := []string{"{}"}
	if x, ok := e.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range x.Items {
			whole, old := o.of(e), o.of(item.ValueExpr)
			for _, text := range o.scalars(a, item.ValueExpr) {
				at := item.ValueExpr.Range().Start.Byte - e.Range().Start.Byte
				out = append(out, whole[:at]+text+whole[at+len(old):])
			}
		}
	}
	return without(out, o.of(e))
}

// references are the blocks and ports of the spec that may be meant.
func (o *occurrence) references(typ string) []string {
	var out []string
	if typ == "link" {
		for _, p := range o.base.spec.Router.Ports() {
			out = append(out, "port."+string(p.LinkName()))
		}
	}
	for _, b := range o.base.spec.Blocks() {
		if a := b.Head().Addr; slices.Contains(strings.Split(strings.ReplaceAll(typ, " or ", ", "), ", "), a.Type) || typ == "link" && slices.Contains([]string{"bridge", "vlan", "link", "wireguard", "xfrm"}, a.Type) {
			out = append(out, a.String())
		}
	}
	return out
}

func without(list []string, text string) []string {
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == text })
}

var wordRE = regexp.MustCompile(`"?([a-z0-9][\w.-]*)"?(?:, | or |$)`)

// words are the values of a type that is described by their list, as in "tcp or udp".
func words(typ string) []string {
	if !strings.Contains(typ, " or ") {
		return nil
	}
	var out []string
	for _, m := range wordRE.FindAllStringSubmatch(typ, -1) {
		out = append(out, m[1])
	}
	return out
}

// texts are texts of the same form: the last digit or letter of each part is another.
func texts(s string) []string {
	var out []string
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		next := byte(0)
		switch c := b[i]; {
		case '0' <= c && c < '9', 'a' <= c && c < 'z', 'A' <= c && c < 'Z':
			next = c + 1
		case c == '9', c == 'z', c == 'Z':
			next = c - 1
		}
		if next != 0 {
			other := slices.Clone(b)
			other[i] = next
			out = append(out, string(other))
		}
	}
	return out
}
