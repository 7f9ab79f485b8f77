package cmd

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

func (a *app) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the language: blocks, attributes, types", ArgsUsage: "[TYPE...]",
		Description: "Prints JSON, or Markdown with -doc; all block types, or those named.\n\n" +
			"Examples:\n   nbr schema -doc network\n   nbr schema | jq '.blocks[].type'",
		Flags:  []cli.Flag{boolFlag("doc", "print Markdown")},
		Action: a.schema, BashComplete: complete(a.typeNames()...),
	}
}

func (a *app) typeNames() []string {
	var names []string
	for _, t := range a.reg.Types() {
		names = append(names, t.Type)
	}
	return names
}

func (a *app) schema(c *cli.Context) error {
	var blocks []conf.Schema
	names := a.typeNames()
	for _, t := range a.reg.Types() {
		if c.NArg() == 0 || contains(c.Args().Slice(), t.Type) {
			blocks = append(blocks, conf.SchemaOf(t))
		}
	}
	for _, want := range c.Args().Slice() {
		if !contains(names, want) {
			return usage("there is no block type %q.%s nbr knows %s", want, diag.Suggest(want, names), diag.List(names))
		}
	}
	if c.Bool("doc") {
		_, err := a.Stdout.Write([]byte(markdown(blocks)))
		return err
	}
	_, err := a.Stdout.Write(diag.MarshalIndent(map[string]any{"format_version": "1.0", "blocks": blocks}))
	return err
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// markdown is the reference of the language.
func markdown(blocks []conf.Schema) string {
	var b strings.Builder
	for i, s := range blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		section(&b, s, "")
	}
	return b.String()
}

func section(b *strings.Builder, s conf.Schema, parent string) {
	title := s.Type
	if s.Label != "" {
		title += ` "` + s.Label + `"`
	}
	level := "##"
	if parent != "" {
		level, title = "###", parent+" › "+title
	}
	fmt.Fprintf(b, "%s %s\n\n%s\n", level, title, s.Doc)
	if parent == "" && !s.Many {
		b.WriteString("\nAt most one.\n")
	}
	if len(s.Attributes) > 0 {
		b.WriteString("\n| attribute | type | default | |\n| --- | --- | --- | --- |\n")
	}
	for _, at := range s.Attributes {
		typ := at.Type
		if at.List {
			typ = "list of " + typ
		}
		def := ""
		switch {
		case at.Required:
			def = "required"
		case at.Default != "":
			def = "`" + at.Default + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", at.Name, typ, def, at.Doc)
	}
	for _, sub := range s.Blocks {
		b.WriteByte('\n')
		section(b, sub, s.Type)
	}
}
