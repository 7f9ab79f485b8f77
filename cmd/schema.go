package cmd

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service/reference"
)

func (a *app) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the language: blocks, attributes, types", ArgsUsage: "[TYPE...]",
		Description: "Prints JSON, or with -doc Markdown with examples; all block types, or those named.\n\n" +
			"Examples:\n   nbr schema -doc network\n   nbr schema | jq '.blocks[].type'",
		Flags:  []cli.Flag{boolFlag("doc", "print Markdown")},
		Action: a.schema,
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
		var pages []string
		for _, p := range reference.Pages(a.reg) {
			if c.NArg() == 0 || contains(c.Args().Slice(), p.Type) {
				pages = append(pages, p.Markdown())
			}
		}
		_, err := a.Stdout.Write([]byte(strings.Join(pages, "\n")))
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
