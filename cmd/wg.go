package cmd

import (
	"cmp"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mdp/qrterminal/v3"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/wgclient"
)

func (a *app) wgCommand() *cli.Command {
	return &cli.Command{
		Name: "wg", Usage: "help the other ends of WireGuard tunnels", ArgsUsage: "COMMAND",
		Description: "Examples:\n" +
			"   nbr wg client laptop router/\n" +
			"   nbr wg client -generate -qr phone router/",
		Subcommands: []*cli.Command{a.clientCommand()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("there is no command %q.%s Try nbr wg -help", "wg "+c.Args().First(), diag.Suggest(c.Args().First(), []string{"client"}))
			}
			return cli.ShowSubcommandHelp(c)
		},
	}
}

func (a *app) clientCommand() *cli.Command {
	return &cli.Command{
		Name: "client", Usage: "print the configuration of a client", ArgsUsage: "NAME [DIR]",
		Description: "Prints what wg-quick and WireGuard's apps read, for the peer NAME of a tunnel of the spec\n" +
			"(TUNNEL/NAME where two tunnels have one), from the spec in the folder (the current one by\n" +
			"default): addresses, name servers, the router's key and endpoint, and as AllowedIPs the\n" +
			"networks that policies let the client reach, or with -full everything.\n\n" +
			"The spec has no private key, so a word stands in its place, unless a file has the key or\n" +
			"-generate makes one. A key that is made is in the output and nowhere else; the public key\n" +
			"that belongs into the spec is printed on standard error.\n" +
			"Exit code 2 if the spec is wrong or does not say all that a client has to know.\n\n" +
			"Examples:\n" +
			"   nbr wg client laptop router/\n" +
			"   nbr wg client -generate -qr -full phone router/\n" +
			"   umask 077; nbr wg client -private-key laptop.key laptop router/ >wg0.conf",
		Flags: append(varFlag(),
			boolFlag("full", "send everything through the tunnel"),
			boolFlag("generate", "make a new key for the client"),
			&cli.StringFlag{Name: "private-key", Usage: "read the client's private key from `FILE`"},
			&cli.StringFlag{Name: "preshared-key", Usage: "read the key that client and router share from `FILE`"},
			&cli.IntFlag{Name: "keepalive", Usage: "have the client send a packet every `SECONDS`: 25 keeps NAT on the way open", DefaultText: "off"},
			boolFlag("qr", "print a QR code, for a terminal with light text on dark, instead of text")),
		Action: a.client,
	}
}

func (a *app) client(c *cli.Context) error {
	switch {
	case c.NArg() == 0 || c.NArg() > 2:
		return usage("nbr wg client takes the name of a peer and the folder of a spec")
	case c.Bool("generate") && c.IsSet("private-key"):
		return usage("-generate makes a private key, and -private-key names one: give one of the two")
	case c.Bool("qr") && !c.Bool("generate") && !c.IsSet("private-key"):
		return usage("a QR code without the client's private key configures nothing: add -generate or -private-key FILE")
	case c.IsSet("keepalive") && (c.Int("keepalive") < 1 || c.Int("keepalive") > 65535):
		return usage("-keepalive is 1 to 65535 seconds")
	}
	s, err := a.deviceIn(c, cmp.Or(c.Args().Get(1), "."))
	if err != nil {
		return err
	}
	p, err := onePeer(s, c.Args().First())
	if err != nil {
		return err
	}
	conf, notes, err := wgclient.New(s.Router, p, c.Bool("full"))
	var lack *wgclient.Lack
	switch {
	case errors.As(err, &lack):
		return exit{ExitSpec, fmt.Sprintf("%s: %s", place(s, lack.By), lack)}
	case err != nil:
		return err
	}
	conf.Keepalive = c.Int("keepalive")
	if err := a.keys(c, s, p, conf); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(a.Stderr, "nbr: %s\n", n)
	}
	if c.Bool("qr") {
		conf.Comment = "" // each letter makes the code larger
		qrterminal.GenerateWithConfig(conf.String(), qrterminal.Config{
			Level: qrterminal.L, Writer: a.Stdout, QuietZone: 2, HalfBlocks: true,
			BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
			BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
		})
		return nil
	}
	_, err = fmt.Fprint(a.Stdout, conf)
	return err
}

// onePeer is the peer of a name.
func onePeer(s loaded, name string) (wgclient.Peer, error) {
	found := wgclient.Find(s.Router, name)
	if len(found) == 1 {
		return found[0], nil
	}
	var names []string
	if len(found) == 0 {
		for _, p := range wgclient.Peers(s.Router) {
			names = append(names, string(p.WireGuardPeer.Name))
		}
		if len(names) == 0 {
			return wgclient.Peer{}, exit{ExitSpec, fmt.Sprintf("%s has no tunnel with a peer", s.Router.Name.V)}
		}
		return wgclient.Peer{}, exit{ExitSpec, fmt.Sprintf("no tunnel of %s has a peer %q.%s", s.Router.Name.V, name,
			cmp.Or(diag.Suggest(name, names), " There are "+diag.List(names)+"."))}
	}
	for _, p := range found {
		names = append(names, p.Name())
	}
	return wgclient.Peer{}, exit{ExitSpec, fmt.Sprintf("%s has several peers %q: say %s", s.Router.Name.V, name, strings.Join(names, " or "))}
}

// keys puts the keys into a client's configuration, or words in their places, which no program
// takes for keys.
func (a *app) keys(c *cli.Context, s loaded, p wgclient.Peer, conf *wgclient.Config) error {
	name := string(p.WireGuardPeer.Name)
	conf.PrivateKey = "THE-PRIVATE-KEY-OF-" + name
	var private *ecdh.PrivateKey
	switch file := c.String("private-key"); {
	case c.Bool("generate"):
		var err error
		if private, err = ecdh.X25519().GenerateKey(rand.Reader); err != nil {
			return exit{ExitUnknown, err.Error()}
		}
	case c.IsSet("private-key"):
		raw, err := readKey(file)
		if err == nil {
			private, err = ecdh.X25519().NewPrivateKey(raw)
		}
		if err != nil {
			return exit{ExitUnknown, err.Error()}
		}
	}
	if private != nil {
		raw := private.Bytes()
		raw[0] &= 248 // as wg genkey has it (RFC 7748 section 5)
		raw[31] = raw[31]&127 | 64
		conf.PrivateKey = base64.StdEncoding.EncodeToString(raw)
		public := base64.StdEncoding.EncodeToString(private.PublicKey().Bytes())
		switch {
		case public == string(p.PublicKey):
		case c.Bool("generate"):
			fmt.Fprintf(a.Stderr, "nbr: the private key is in this output and nowhere else. The router knows the client once the spec has\n"+
				"nbr: its public key: write this into %s (%s).\n    public_key = %q\n", p.Addr, place(s, p.By), public)
		default:
			return exit{ExitSpec, fmt.Sprintf("%s: the private key in %s is that of %s, and %s has %s. Write the first one into the spec, or name the file of the second",
				place(s, p.By), c.String("private-key"), public, p.Addr, p.PublicKey)}
		}
	}
	switch file := c.String("preshared-key"); {
	case c.IsSet("preshared-key") && p.PresharedKey == nil:
		return usage("%s shares no key with the router: give it preshared_key = secret.NAME", p.Addr)
	case c.IsSet("preshared-key"):
		raw, err := readKey(file)
		if err != nil {
			return exit{ExitUnknown, err.Error()}
		}
		conf.PresharedKey = base64.StdEncoding.EncodeToString(raw)
	case p.PresharedKey != nil && c.Bool("qr"):
		return usage("a QR code without the key that %s shares with the router configures nothing: add -preshared-key FILE, a copy of %s on the router", name, p.PresharedKey.Location())
	case p.PresharedKey != nil:
		conf.PresharedKey = "THE-KEY-SHARED-WITH-" + name
	}
	return nil
}

// readKey reads a key of WireGuard from a file or a pipe, whose end may never come: what is longer
// than a key is not read. No error has a part of it.
func readKey(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("%s holds no key of WireGuard: 44 characters of base64, as wg genkey prints them", file)
	}
	return raw, nil
}

// place is where the spec says something, as file:line.
func place(s loaded, by router.By) string {
	return fmt.Sprintf("%s:%d", filepath.ToSlash(filepath.Join(s.dir, by.From.Filename)), by.From.Start.Line)
}
