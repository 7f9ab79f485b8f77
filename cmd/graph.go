package cmd

import (
	"bytes"
	"cmp"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router/graph"
)

func (a *app) graphCommand() *cli.Command {
	return &cli.Command{
		Name: "graph", Usage: "draw the network: links, networks, zones, what may pass", ArgsUsage: "[DIR]",
		Description: "Draws the router of the spec in the folder (the current one by default): its links and what\n" +
			"stands on what, networks with their addresses, the services and hosts in each, zones and the\n" +
			"policies and port forwards between them. No part of it is a secret.\n\n" +
			"The SVG stands alone and fits light and dark pages. The same spec gives the same bytes, so the\n" +
			"drawing can be kept beside it. Mermaid is what forges draw in Markdown, DOT is for Graphviz.\n" +
			"Exit code 2 if the spec is wrong; then nothing is written.\n\n" +
			"Examples:\n" +
			"   nbr graph -o network.svg router/\n" +
			"   nbr graph -format mermaid router/\n" +
			"   nbr graph -format dot router/ | dot -Tpdf -o network.pdf",
		Flags: append(varFlag(),
			&cli.StringFlag{Name: "format", Value: "svg", Usage: "draw as `FORM`: svg, dot or mermaid"},
			&cli.StringFlag{Name: "o", Usage: "write to `FILE` instead of standard output: all of it or nothing"}),
		Action: a.graph,
	}
}

func (a *app) graph(c *cli.Context) error {
	draw := map[string]func(*graph.Graph, io.Writer) error{
		"svg": (*graph.Graph).SVG, "dot": (*graph.Graph).DOT, "mermaid": (*graph.Graph).Mermaid,
	}[c.String("format")]
	switch {
	case draw == nil:
		return usage("-format is svg, dot or mermaid, not %q", c.String("format"))
	case c.NArg() > 1:
		return usage("nbr graph takes one folder")
	case c.IsSet("o") && c.String("o") == "":
		return usage("-o takes the name of a file")
	}
	s, err := a.deviceIn(c, cmp.Or(c.Args().First(), "."))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := draw(graph.New(s.Router, s.Blocks(), s.Secrets().Text), &b); err != nil {
		return err
	}
	file := c.String("o")
	if file == "" {
		_, err := a.Stdout.Write(b.Bytes())
		return err
	}
	if err := replaceFile(file, b.Bytes()); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	fmt.Fprintf(a.Stdout, "wrote %s (%s, %d bytes)\n", file, diag.Count(len(s.Router.Networks), "network"), b.Len())
	return nil
}
