package router

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
)

func ruleListens(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	by := map[IPProtocol][]*Listen{}
	for _, l := range Claimed[Listen](r) {
		for _, o := range by[l.Protocol] {
			// What the spec says of other programs it may say by two names.
			if o.Addr != l.Addr && o.Ports().Overlaps(l.Ports()) && !(o.Said && l.Said) && !(o.Shared && l.Shared && o.Unit == l.Unit) && sameNetwork(o, l) {
				a, b := o, l
				if a.Said {
					a, b = b, a // what nbr runs was there first
				}
				diags = append(diags, diag.Help(clash("listen-clash", "Socket taken", a.By, b.By,
					"%s already listens on %s/%s.", a.Addr, a.Protocol, a.Ports()),
					"Give one of them another port, or other networks."))
				break
			}
		}
		by[l.Protocol] = append(by[l.Protocol], l)
	}
	return diags
}

func sameNetwork(a, b *Listen) bool {
	return len(a.Networks) == 0 || len(b.Networks) == 0 || slices.ContainsFunc(a.Networks, b.Serves)
}

func ruleAllowed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var names []string
	for _, l := range Claimed[Listen](r) {
		if !slices.Contains(names, l.Service) {
			names = append(names, l.Service)
		}
	}
	slices.Sort(names)
	for _, z := range r.Zones {
		for _, a := range z.Allow.Items {
			known, _ := wellKnown(a.V)
			switch {
			case len(r.Opened(a.V)) > 0:
			case !slices.Contains(names, string(a.V)):
				hint := diag.Suggest(string(a.V), slices.Concat(names, r.serviceNames()))
				switch {
				case known.Block != "":
					hint = fmt.Sprintf("Add the %s block, or, if another program listens, a service block with a name of its own.", known.Block)
				case hint != "":
				case len(names) == 0:
					hint = "Add the block of the service, or remove the name."
				default:
					hint = fmt.Sprintf("It could be %s.", strings.Join(names, ", "))
				}
				diags = append(diags, diag.Respell(diag.Help(diag.Error("nothing-listens", a.Range, "No such service",
					"This router has no service %q.", a.V), "%s", hint), a.Range, hint))
			case len(r.ListeningIn(z, string(a.V))) == 0:
				diags = append(diags, diag.Help(diag.Error("nothing-listens", a.Range, "Service not offered there",
					"The router has %s, but not for a network of %s.", a.V, z.Addr),
					"Add the network to the service, or take the name out of allow."))
			}
		}
	}
	return diags
}

// ruleServed finds services that are meant for a network and cannot be reached
// from it.
func ruleServed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type key struct {
		service string
		addr    conf.Addr
		z       *Zone
	}
	said := map[key]bool{}
	for _, l := range Claimed[Listen](r) {
		for _, n := range l.Networks {
			z := r.ZoneOf(n)
			if z == nil || slices.Contains(z.Allow.All(), ServiceName(l.Service)) || said[key{l.Service, l.Addr, z}] {
				continue
			}
			said[key{l.Service, l.Addr, z}] = true
			diags = append(diags, diag.With(diag.Help(diag.Error("not-allowed", l.From, "Service that the firewall closes",
				"%s is for %s, and %s does not allow %q: the firewall drops every question.", l.Addr, n.Addr, z.Addr, l.Service),
				"Add %q to the allow of %s.", l.Service, z.Addr),
				z.Def, "%s", z.Addr.String()))
		}
	}
	return diags
}

func ruleSysctls(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]*Sysctl{}
	for _, s := range Claimed[Sysctl](r) {
		if before := first[s.Key]; before != nil && before.Value != s.Value {
			diags = append(diags, diag.Help(clash("sysctl-clash", "Kernel parameter wanted twice", before.By, s.By,
				"%s wants %s = %s, and %s wants %s.", s.Addr, s.Key, s.Value, before.Addr, before.Value),
				"Remove one of the two blocks, or let both want the same."))
			continue
		}
		first[s.Key] = s
	}
	return diags
}

// Resolves tells whether the router has a resolver of its own, which it then asks itself.
func (r *Router) Resolves() bool {
	return len(r.Listening("dns")) > 0
}

// ruleNameServers wants a name server: without names there are no updates, and no time
// but of servers that are given by address. Router advertisements name servers too, but
// nothing on the router listens to that (RFC 8106), and those of a PPP session (RFC 1877) are
// not taken.
func ruleNameServers(r *Router) hcl.Diagnostics {
	dhcp := slices.ContainsFunc(r.Networks, (*Network).ByDHCP)
	up := slices.IndexFunc(r.Networks, func(n *Network) bool { return n.Gateway.Set || n.Gateway6.Set || n.ByPPP() || n.TakesAdvertisements() })
	switch {
	case r.NameServers.Set && r.Resolves():
		return one(diag.Help(diag.Error("needless-name-servers", r.NameServers.Range, "Name servers beside a resolver",
			"The router asks its own resolver, which validates the answers."),
			"Remove name_servers; to have the resolver ask these servers, write forward in the resolver block."))
	case r.NameServers.Set || r.Resolves() || dhcp || up < 0:
		return nil
	}
	n := r.Networks[up]
	return one(diag.Help(diag.Error("no-name-servers", n.Def, "No name server",
		"%s leads to the Internet and no DHCP server there names a name server.", n.Addr),
		"Write a resolver block, or name your provider's servers in the router block, as in name_servers = [\"9.9.9.9\"]."))
}

func ruleSecrets(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range r.Secrets {
		if s.File.Set && s.Source.V != SourceFile {
			diags = append(diags, r.encrypted(s)...)
		}
		if s.Key.Set && s.Source.V != SourceSOPS {
			diags = append(diags, diag.Help(diag.Error("secret-without-path", s.Key.Range, "Key of a secret that is a whole file",
				"key names an entry in a file of sops, and the source of this secret is %s.", s.Source.V),
				"Remove key, or say source = \"sops\"."))
		}
		switch {
		case s.Source.V == SourceFile && !s.Path.Set:
			diags = append(diags, diag.Help(diag.Error("secret-without-path", s.Def, "Secret without a path",
				"%s does not say where the file is on the router.", s.Addr),
				"Write path = \"/var/lib/secrets/%s\", or another place, and put the file there.", s.Name.V))
		case s.Source.V == SourceFile && s.File.Set:
			diags = append(diags, diag.Help(diag.Error("secret-without-path", s.File.Range, "File of a secret that you place yourself",
				"With source = \"file\" nbr copies nothing to the router."),
				"Use source = \"sops\" or \"agenix\" for an encrypted file in the spec's folder."))
		case s.Source.V != SourceFile && !s.File.Set:
			diags = append(diags, diag.Help(diag.Error("secret-without-path", s.Def, "Secret without a file",
				"With source = %q nbr decrypts a file of the spec's folder, and none is named.", s.Source.V), "Write file = the encrypted file, as in file = \"secrets/%s.yaml\".", s.Name.V))
		case s.Source.V != SourceFile && s.Path.Set:
			diags = append(diags, diag.Help(diag.Error("secret-without-path", s.Path.Range, "Path of a secret that has its own place",
				"%s puts it at %s.", s.Source.V, s.Location()),
				"Remove path."))
		case s.Source.V == SourceFile && s.Path.V.Volatile() && !s.ForAccounts(): // of whose passwords the accounts say it
			diags = append(diags, diag.Help(diag.Warning("volatile-secret", s.Path.Range, "Secret that is gone after a boot",
				"The router keeps %s in memory, and nbr puts nothing there.", s.Path.V),
				"Keep the secret in a file that stays, as /var/lib/secrets/%s, or have it put there at each boot: source = \"sops\" or \"agenix\".", s.Name.V))
		}
	}
	return diags
}

// ruleSecretUses wants a secret for each thing: who shares the one could do what the other is
// for, two tunnels with one private key are one and the same to their peers, and two users with one
// password are one with two names.
func ruleSecretUses(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[*Secret]*SecretUse{}
	uses := slices.Clone(Claimed[SecretUse](r))
	slices.SortStableFunc(uses, func(a, b *SecretUse) int { // the later line has one too many
		return cmp.Or(cmp.Compare(a.From.Filename, b.From.Filename), cmp.Compare(a.From.Start.Byte, b.From.Start.Byte))
	})
	for _, u := range uses {
		before := first[u.Secret]
		switch {
		case before == nil:
			first[u.Secret] = u
		case before.For != u.For:
			diags = append(diags, diag.Help(clash("secret-of-two-kinds", "Secret of another kind", before.By, u.By,
				"%s is %s here, and %s of %s: all who have it for the one use have it for the other.", u.Secret.Addr, u.For, before.For, before.Addr),
				"Give each of them a secret of its own."))
		case u.User != "" && before.User != "" && u.User != before.User:
			diags = append(diags, diag.Help(clash("secret-of-two-users", "One secret of two users", before.By, u.By,
				"%s is %s already, that of %s: with it %s can log in as %s, and the other way round.", u.Secret.Addr, u.For, before.User, u.User, before.User),
				"Give each user a secret of its own."))
		case u.For == PrivateKey:
			diags = append(diags, diag.Help(clash("secret-of-two-kinds", "One private key for two tunnels", before.By, u.By,
				"%s is the private key of %s already, and to its peers a key is one tunnel.", u.Secret.Addr, before.Addr),
				"Give each of them a secret of its own."))
		}
	}
	return diags
}

// encrypted tells whether a secret's file may be copied into the tree, which ends
// in git and in the Nix store.
func (r *Router) encrypted(s *Secret) hcl.Diagnostics {
	b, d := r.File(s.File)
	if d != nil {
		return one(d)
	}
	ok := bytes.Contains(b, []byte("ENC[AES256_GCM,"))
	if s.Source.V == SourceAgenix {
		ok = bytes.HasPrefix(b, []byte("age-encryption.org/v1")) || bytes.HasPrefix(b, []byte("-----BEGIN AGE ENCRYPTED FILE-----"))
	}
	if ok {
		return nil
	}
	return one(diag.Help(diag.Error("secret-not-encrypted", s.File.Range, "Secret is not encrypted",
		"%s is not encrypted by %s. The file would be copied into the tree and from there into the Nix store, which everyone can read.", s.File.V, s.Source.V),
		"Encrypt it with %s. If it has been in a repository as it is, the secret is known: take another one.", s.Source.V))
}

// File is the content of a file that the spec names, or the error that says why it cannot be
// read. It is read once: what is judged is what goes into the tree.
func (r *Router) File(f conf.Value[File]) ([]byte, *hcl.Diagnostic) {
	name := string(f.V)
	if b, ok := r.Files[name]; ok {
		return b, nil
	}
	b, err := source.ReadFile(r.FS, name)
	if err != nil {
		return nil, source.Unreadable(f.Range, name, err)
	}
	if r.Files == nil {
		r.Files = map[string][]byte{}
	}
	r.Files[name] = b
	return b, nil
}

func ruleImports(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.Import.Items {
		if _, d := r.File(f); d != nil {
			diags = append(diags, d)
		}
	}
	return diags
}

// networkList names the networks of a zone as a spec does.
func networkList(z *Zone) string {
	var out []string
	for _, n := range z.Networks.Items {
		out = append(out, n.Addr.String())
	}
	return strings.Join(out, ", ")
}
