package conf

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// value evaluates an expression with the functions of a spec.
func value(t *testing.T, src string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return newContext(nil).eval(e)
}

func newContext(vars map[string]cty.Value) *Context {
	if vars == nil {
		vars = map[string]cty.Value{}
	}
	return &Context{
		Eval:  &hcl.EvalContext{Functions: Functions(nil), Variables: vars},
		Types: map[string]bool{"network": true, "link": true, "zone": true, "resolver": true},
	}
}

// TestFunctions checks the functions over addresses, first the examples of
// Terraform's and OpenTofu's documentation.
func TestFunctions(t *testing.T) {
	tests := []struct{ in, want string }{
		{`cidrhost("10.12.112.0/20", 16)`, "10.12.112.16"},
		{`cidrhost("10.12.112.0/20", 268)`, "10.12.113.12"},
		{`cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)`, "fd00:fd12:3456:7890::22"},
		{`cidrnetmask("172.16.0.0/12")`, "255.240.0.0"},
		{`index(["a", "b", "c"], "b")`, "1"},
		{`cidrsubnet("172.16.0.0/12", 4, 2)`, "172.18.0.0/16"},
		{`cidrsubnet("10.1.2.0/24", 4, 15)`, "10.1.2.240/28"},
		{`cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)`, "fd00:fd12:3456:7800:a200::/72"},
		{`join(" ", cidrsubnets("10.1.0.0/16", 4, 4, 8, 4))`, "10.1.0.0/20 10.1.16.0/20 10.1.32.0/24 10.1.48.0/20"},
		{`join(" ", cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32))`, "fd00:fd12:3456:7800::/72 fd00:fd12:3456:7800:100::/72 fd00:fd12:3456:7800:200::/72 fd00:fd12:3456:7800:300::/88"},
		{`join(" ", [for b in cidrsubnets("10.0.0.0/8", 8, 8) : join(" ", cidrsubnets(b, 4, 4))])`, "10.0.0.0/20 10.0.16.0/20 10.1.0.0/20 10.1.16.0/20"},
		{`cidrcontains("192.168.2.0/20", "192.168.2.1")`, "true"},
		{`cidrcontains("192.168.2.0/20", "192.168.2.0/22")`, "true"},
		{`cidrcontains("192.168.2.0/20", "192.126.2.1")`, "false"},
		{`cidrcontains("192.168.2.0/20", "192.126.2.0/18")`, "false"},

		{`cidrhost("10.0.0.0/8", -1)`, "10.255.255.255"},
		{`cidrhost("10.0.0.0/8", -16777216)`, "10.0.0.0"},
		{`cidrhost("10.0.0.0/8", 16777215)`, "10.255.255.255"},
		{`cidrhost("192.168.178.1/24", 10)`, "192.168.178.10"}, // as a network has it
		{`cidrhost("192.0.2.1/32", 0)`, "192.0.2.1"},
		{`cidrhost("fd00::/64", -1)`, "fd00::ffff:ffff:ffff:ffff"},
		{`cidrhost("::/0", -1)`, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{`cidrhost("0.0.0.0/0", 4294967295)`, "255.255.255.255"},
		{`cidrhost("fd00::/8", "10")`, "fd00::a"},
		{`cidrnetmask("0.0.0.0/0")`, "0.0.0.0"},
		{`cidrnetmask("192.0.2.1/32")`, "255.255.255.255"},
		{`cidrsubnet("10.0.0.0/8", 0, 0)`, "10.0.0.0/8"},
		{`cidrsubnet("10.0.0.0/8", 24, 16777215)`, "10.255.255.255/32"},
		{`cidrsubnet("::/0", 128, 1)`, "::1/128"},
		{`cidrsubnet("192.168.1.77/24", 4, 1)`, "192.168.1.16/28"},
		{`length(cidrsubnets("10.0.0.0/8"))`, "0"},
		{`join(" ", cidrsubnets("10.0.0.0/8", 1, 1))`, "10.0.0.0/9 10.128.0.0/9"},
		{`join(" ", cidrsubnets("192.0.2.0/30", 2, 1))`, "192.0.2.0/32 192.0.2.2/31"},
		{`cidrcontains("192.168.1.77/24", "192.168.1.1/24")`, "true"},
		{`cidrcontains("10.0.0.0/8", "10.0.0.0/7")`, "false"},
		{`cidrcontains("::/0", "10.0.0.1")`, "false"},
		{`cidrcontains("fd00::/8", "fd00::/8")`, "true"},

		{`upper(trimspace(" a "))`, "A"},
		{`try(tonumber("x"), 5)`, "5"},
		{`can(regex("^a", "b"))`, "false"},
		{`join(",", [for k, v in merge({ a = 1 }, { b = 2 }) : "${k}${v}"])`, "a1,b2"},
		{`jsondecode(jsonencode({ a = [1] })).a[0]`, "1"},
		{`join(",", sort(keys(zipmap(["b", "a"], [1, 2]))))`, "a,b"},
		{`format("%02x:%s", 10, "b")`, "0a:b"},
		{`join(",", [for n in range(10, 13) : n])`, "10,11,12"},
	}
	for _, tt := range tests {
		val, diags := value(t, tt.in)
		var got Value[string]
		if !diags.HasErrors() {
			diags = got.assign(val, hcl.Range{})
		}
		if diags.HasErrors() || got.V != tt.want {
			t.Errorf("%s is %q, want %q: %v", tt.in, got.V, tt.want, diags)
		}
	}
}

func TestFunctionErrors(t *testing.T) {
	tests := []struct{ in, at, want string }{ // at is how the argument begins that is underlined
		{`cidrhost("10.0.0.0", 1)`, `10.0.0.0`, "no address block"},
		{`cidrhost("10.0.0.0/33", 1)`, `10.0.0.0/33`, "no address block"},
		{`cidrhost("10.0.0.0/24", 256)`, `256`, "10.0.0.0/24 has only 256 addresses, and 0 is the first, -1 the last."},
		{`cidrhost("10.0.0.0/24", -257)`, `-`, "only 256 addresses"},
		{`cidrhost("10.0.0.0/24", 1.5)`, `1.5`, "whole number"},
		{`cidrhost("10.0.0.0/24", 1e999999999)`, `1e999999999`, "too large"},
		{`cidrhost("fd00::/64", 18446744073709551616)`, `18446744073709551616`, "only 18446744073709551616 addresses"},
		{`cidrnetmask("fd00::/64")`, `fd00::/64`, "IPv6 has no netmasks"},
		{`cidrsubnet("10.0.0.0/24", 9, 0)`, `0`, "no room for 9 more bits"},
		{`cidrsubnet("10.0.0.0/24", -1, 0)`, `0`, "no room for -1 more bits"},
		{`cidrsubnet("10.0.0.0/24", 9223372036854775807, 0)`, `0`, "no room"},
		{`cidrsubnet("10.0.0.0/24", 1e30, 0)`, `0`, "no room"},
		{`cidrsubnet("10.0.0.0/24", 2, 4)`, `4`, "only 4 blocks"},
		{`cidrsubnet("10.0.0.0/24", 2, -1)`, `-`, "only 4 blocks"},
		{`cidrsubnets("10.0.0.0/24", 1, 1, 1)`, `1`, "only 2 blocks"},
		{`cidrsubnets("10.0.0.0/24", 2, 1, 1)`, `1`, "only 2 blocks"},
		{`cidrsubnets("10.0.0.0/24", 9)`, `9`, "no room"},
		{`cidrsubnets("10.0.0.0/24", -1000000000000)`, `-`, "no room"},
		{`cidrsubnets("10.0.0.0/24", "a")`, `a`, "number"},
		{`cidrcontains("10.0.0.0/24", "nas")`, `nas`, "neither an address nor an address block"},
		{`cidrcontains("nas", "10.0.0.1")`, `nas`, "no address block"},
		{`index("a", "b")`, `a`, "a list is expected"},
		{`index(["a"], "b")`, `b`, "the list does not hold it"},
		{`index([1], "1")`, `1`, "the list does not hold it"},
	}
	for _, tt := range tests {
		_, diags := value(t, tt.in)
		if len(diags) != 1 || diag.Code(diags[0]) != "function-call" || !strings.Contains(diag.Text(diags[0]), tt.want) {
			t.Errorf("%s: %v, want function-call: %q", tt.in, diags, tt.want)
		} else if at := string(diags[0].Subject.SliceBytes([]byte(tt.in))); at != tt.at {
			t.Errorf("%s: %s is underlined, want %s", tt.in, at, tt.at)
		}
	}
}
