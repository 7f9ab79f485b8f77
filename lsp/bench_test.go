package lsp_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// wide is a router of so many VLANs, each with a network.
func wide(networks int) string {
	var b strings.Builder
	b.WriteString("router \"wide\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"8GiB\"\n  state_version = \"26.05\"\n  console_only  = true\n}\n")
	for i := range networks {
		fmt.Fprintf(&b, "\nvlan \"v%[1]d\" {\n  link = port.lan1\n  id   = %[2]d\n}\n\nnetwork \"n%[1]d\" {\n  link = vlan.v%[1]d\n  ipv4 = \"10.%[3]d.%[4]d.1/24\"\n}\n\nzone \"z%[1]d\" {\n  networks = [network.n%[1]d]\n}\n", i, i+2, i/256, i%256)
	}
	return b.String()
}

// BenchmarkKey is the time from a key to the diagnostics of the text with it, without the rest that the server waits
// for; floor is that of judging the same text alone, as nbr check does.
func BenchmarkKey(b *testing.B) {
	article, err := os.ReadFile("../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		b.Fatal(err)
	}
	for _, spec := range []struct{ name, text string }{{"article", string(article)}, {"300networks", wide(300)}} {
		s := server()
		s.Rest = 0
		b.Run(spec.name+"/floor", func(b *testing.B) {
			for b.Loop() {
				_, diags := s.Load(fstest.MapFS{"router.hcl": {Data: []byte(spec.text)}})
				if diags.HasErrors() {
					b.Fatal(diags)
				}
			}
		})
		b.Run(spec.name+"/key", func(b *testing.B) {
			c := start(b, s, b.TempDir())
			c.initialize(map[string]any{})
			c.open("router.hcl", spec.text)
			c.judged("router.hcl")
			at := strings.Index(spec.text, "\n\n")
			for b.Loop() {
				c.said = nil
				c.change("router.hcl", at, at, " ")
				c.judged("router.hcl")
			}
		})
		b.Run(spec.name+"/completion", func(b *testing.B) {
			c := start(b, s, b.TempDir())
			c.initialize(map[string]any{})
			c.open("router.hcl", spec.text)
			c.judged("router.hcl")
			p := c.at("router.hcl", "link = ‸")
			for b.Loop() {
				c.said = nil
				c.ask("textDocument/completion", p)
			}
		})
	}
}
