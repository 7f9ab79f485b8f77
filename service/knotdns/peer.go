package knotdns

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// PeerKind is the dns_peer block.
func PeerKind() service.Kind {
	return service.Kind{
		Type: "dns_peer", Doc: "Another DNS server, which gets whole zones of this router or which this router gets zones of, and the key by which the two know each other (TSIG, RFC 8945).",
		Software: "Knot DNS", Example: example,
		Program: program{}, Probes: probes, New: func() service.Block { return &DNSPeer{} },
	}
}

// DNSPeer is the dns_peer block.
type DNSPeer struct {
	conf.Header
	Name      conf.Value[router.Name]     `hcl:"name,label"`
	Addresses conf.List[router.Addr]      `hcl:"addresses,required" empty:"error: the server is nowhere. Give its address, or remove the block." doc:"Where the server is, and where its questions come from."`
	Key       conf.Ref[*router.Secret]    `hcl:"key,required" doc:"The secret that holds the key: one line of base64, as tsig-keygen and keymgr -t print it. Where it is missing no zone is given or taken."`
	KeyName   conf.Value[router.ZoneName] `hcl:"key_name,optional" doc:"The key's name, which both servers give it. Without it the label."`
	Algorithm conf.Value[KeyAlgorithm]    `hcl:"algorithm,optional" default:"hmac-sha256" doc:"What both servers make of the key: hmac-sha224, hmac-sha256, hmac-sha384 or hmac-sha512."`
}

// KeyAlgorithm is one of TSIG by its name in Knot DNS.
type KeyAlgorithm string

// UnmarshalText wants one that RFC 8945 section 6 does not advise against.
func (a *KeyAlgorithm) UnmarshalText(b []byte) error {
	return conf.OneOf(a, b, "algorithm of TSIG", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
}

// Describe is what the type is in the schema.
func (KeyAlgorithm) Describe() string { return "algorithm of TSIG" }

// Claim says that the key is read, and that the router asks the server.
func (b *DNSPeer) Claim(s *router.Scope) {
	router.Claim(s, hcl.Range{}, knows{b: b})
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
	s.Secret(b.Key.Range, router.SecretUse{Secret: b.Key.Target, For: router.TransferKey, Owner: "root", Unit: unit})
	for _, a := range b.Addresses.Items {
		router.Claim(s, a.Range, router.Asks{Server: a.V.Addr, Packets: asked})
	}
}

// asked are the packets of questions, transfers and notices (RFC 7766).
var asked = []router.Packets{{Protocol: router.UDP, Ports: router.OnePort(53)}, {Protocol: router.TCP, Ports: router.OnePort(53)}}

// knows is the claim by which the program knows a peer.
type knows struct {
	router.By
	b *DNSPeer
}

// peers are the dns_peer blocks.
func peers(r *router.Router) []*DNSPeer {
	var out []*DNSPeer
	for _, c := range router.Claimed[knows](r) {
		out = append(out, c.b)
	}
	return out
}

// Judge finds servers that are this one, that have the key of another, or that cannot fetch.
func (b *DNSPeer) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, a := range b.Addresses.Items {
		if own := r.Own(a, "A zone would be given to the router itself.", "Write the address of the other server."); own != nil {
			diags = append(diags, own)
		}
	}
	for _, o := range peers(r) {
		if o == b {
			break // the later one of two has one too many
		}
		if o.keyName() == b.keyName() {
			diags = append(diags, diag.With(diag.Help(diag.Error("key-name-twice", cmp.Or(b.KeyName.Range, b.Def), "One name for two keys",
				"%s has a key %s already, and by its name alone a server finds the key of a question (RFC 8945 section 5.2).", o.Addr, b.keyName()),
				"Give one of the two another key_name, on both servers."), cmp.Or(o.KeyName.Range, o.Def), "%s", o.Addr.String()))
			break
		}
	}
	return append(diags, b.away(r)...)
}

// NamedBy says where the server is named.
func (*DNSPeer) NamedBy() string { return "secondaries or primaries of a dns_zone or dns_catalog" }

// away finds addresses of a secondary in networks where the router does not answer.
func (b *DNSPeer) away(r *router.Router) hcl.Diagnostics {
	s := server(r)
	if s == nil {
		return nil // the zones say it
	}
	var of []shared
	for _, z := range zones(r) {
		of = append(of, z.shared(r))
	}
	i := slices.IndexFunc(of, func(z shared) bool {
		return slices.ContainsFunc(z.secondaries, func(p conf.Ref[*DNSPeer]) bool { return p.Target == b })
	})
	if i < 0 {
		return nil
	}
	var diags hcl.Diagnostics
	for _, a := range b.Addresses.Items {
		if n := r.NetworkAt(a.V.Unmap()); n != nil && !conf.Has(s.Networks, n) {
			diags = append(diags, diag.With(diag.With(diag.Help(diag.Error("transfer-without-server", a.Range, "Zone that cannot be fetched",
				"%s is in %s, where %s does not answer, and %s is to get %s.", a.V, n.Addr, s.Addr, b.Addr, of[i].of),
				"Add %s to the networks of %s.", n.Addr, s.Addr), s.Networks.Range, "%s", s.Addr.String()), of[i].def, "%s", of[i].of.String()))
		}
	}
	return diags
}

// keyName is the key's name without a dot at its end.
func (b *DNSPeer) keyName() router.ZoneName {
	if b.KeyName.Set {
		return b.KeyName.V
	}
	return router.ZoneName(strings.ToLower(string(b.Name.V)))
}

// id is what Knot DNS's configuration calls the server.
func (b *DNSPeer) id() string { return "peer-" + string(b.Name.V) }

// at is a line of the block, or the block.
func (b *DNSPeer) at(r hcl.Range) hcl.Range { return cmp.Or(r, b.Def) }

// texts are its addresses.
func (b *DNSPeer) texts() []string {
	var out []string
	for _, a := range b.Addresses.All() {
		out = append(out, a.String())
	}
	return out
}

const (
	// stage makes the file with the keys, below /etc.
	stage = "knot/nbr-keys.sh"
	// staged is what Knot DNS includes: root's, and readable by Knot DNS alone.
	staged = "/run/nbr-knot/keys.conf"
)

// lowerPeers names the servers, and has their keys put into a file when Knot DNS starts: its
// settings are in the store, which all can read. It returns the script that does so.
func lowerPeers(r *router.Router, m *nixgen.Module, set func(nixgen.Origin, nixgen.Expr, ...string)) string {
	all := peers(r)
	if len(all) == 0 {
		return ""
	}
	for _, b := range all {
		set(service.Origin(b.Addr, b.Addresses.Range), service.Strs(b.texts()), "remote", b.id(), "address")
		set(service.Origin(b.Addr, b.at(b.KeyName.Range)), nixgen.Str(b.keyName()), "remote", b.id(), "key")
		if installer := b.Key.Target.Installer(); installer != "" {
			m.Add(service.Origin(b.Addr, b.Key.Range), []string{"systemd", "services", unit, "after"}, nixgen.Str(installer))
		}
	}
	from, script := service.From(all[0]), keyScript(all)
	m.Set(from, service.Strs([]string{staged}), "services", "knot", "keyFiles")
	m.Set(from, nixgen.Lines(script), "environment", "etc", stage, "text")
	// The + is systemd's: as root, who alone can read the secrets.
	run := nixgen.List{nixgen.Concat{nixgen.Str("+"), nixgen.Var("pkgs.bash"), nixgen.Str("/bin/bash /etc/" + stage)}}
	m.Set(from, run, "systemd", "services", unit, "serviceConfig", "ExecStartPre")
	m.Set(from, nixgen.Apply("lib.mkBefore", run), "systemd", "services", unit, "serviceConfig", "ExecReload")
	m.Set(from, nixgen.List{nixgen.Var("pkgs.coreutils")}, "systemd", "services", unit, "path")
	return script
}

// The actions of others that Knot DNS asks its ACLs for.
const (
	gets  = "transfer" // whole zones, or what has changed in them
	tells = "notify"   // that a zone has changed
)

// acl is what Knot DNS's configuration calls that the server may do something.
func (b *DNSPeer) acl(action string) string { return action + "-" + string(b.Name.V) }

// keyScript writes the file with the keys. Knot DNS would not start with one that is missing or is
// no base64, and the house would be without its names: a random key takes its place, which no other
// server has.
func keyScript(all []*DNSPeer) string {
	var b strings.Builder
	fmt.Fprintf(&b, `set -eu
export LC_ALL=C
umask 077
folder=%s
key() { # NAME ALGORITHM FILE
  local secret=
  IFS= read -r secret <"$3" || true
  if [[ ! $secret =~ ^[A-Za-z0-9+/]{4,}={0,2}$ ]] || ! base64 -d <<<"$secret" >/dev/null 2>&1; then
    echo "$3 is missing or is no base64: a random key takes its place" >&2
    secret=$(head -c 32 /dev/urandom | base64)
  fi
  printf '  - id: "%%s"\n    algorithm: %%s\n    secret: "%%s"\n' "$1" "$2" "$secret"
}
mkdir -p "$folder"
{
  echo 'key:'
`, staged[:strings.LastIndexByte(staged, '/')])
	for _, p := range all {
		fmt.Fprintf(&b, "  key '%s' %s %s\n", p.keyName(), p.Algorithm.V, p.Key.Target.Location())
	}
	fmt.Fprintf(&b, `} >"$folder/new"
chown root:%s "$folder" "$folder/new"
chmod 0750 "$folder"
chmod 0640 "$folder/new"
mv "$folder/new" %s
`, group, staged)
	return b.String()
}

// A keyQuestion is a key of the server that runs, and the file that it has to be from.
type keyQuestion struct {
	Name string `json:"name"`
	File string `json:"file"`
}

// A keyAnswer is what the server has. The key itself does not leave the probe.
type keyAnswer struct {
	Key       string `json:"key"` // one of the words below
	Algorithm string `json:"algorithm,omitempty"`
}

const (
	sameKey  = "the key of the file"
	otherKey = "another key"
	noKey    = "no key of this name"
	noFile   = "no such file"
)

// keyOf asks for the key that the server has.
var keyOf = &probe.Probe[keyQuestion, keyAnswer]{Name: "knotdns.key", Look: lookKey}

func lookKey(ctx context.Context, h probe.Host, q keyQuestion) (keyAnswer, error) {
	file, err := h.ReadFile(q.File)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return keyAnswer{}, err
	}
	lines, err := lookSettings(ctx, h, "key")
	if err != nil {
		return keyAnswer{}, err
	}
	out := keyAnswer{Key: noKey}
	line, _, _ := strings.Cut(string(file), "\n")
	want, wrong := base64.StdEncoding.DecodeString(line)
	for _, line := range lines {
		rest, ok := strings.CutPrefix(line, "key["+q.Name+".].")
		if !ok {
			continue
		}
		if v, ok := strings.CutPrefix(rest, "algorithm = "); ok {
			out.Algorithm = v
		}
		if v, ok := strings.CutPrefix(rest, "secret = "); ok {
			got, err := base64.StdEncoding.DecodeString(v)
			out.Key = otherKey
			if err == nil && wrong == nil && slices.Equal(got, want) {
				out.Key = sameKey
			}
		}
	}
	if missing {
		out.Key = noFile
	}
	return out, nil
}

// Checks asks the server that runs for what it knows of the other one.
func (b *DNSPeer) Checks(_ *router.Router, p *verify.Plan) {
	q := keyQuestion{Name: string(b.keyName()), File: b.Key.Target.Location()}
	asked := func(what, title string, from hcl.Range, want, hint string, got func(keyAnswer) string) {
		c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: from}
		verify.Asked(p, c, keyOf, q, want, hint, func(_ *state.State, a keyAnswer) verify.Verdict { return verify.Compare(want, got(a), hint) })
	}
	asked("key", "the key of "+string(b.Name.V), b.Key.Range, sameKey, "systemctl status knot; ls -l "+q.File, func(a keyAnswer) string { return a.Key })
	asked("algorithm", "the algorithm of the key of "+string(b.Name.V), b.at(b.Algorithm.Range), string(b.Algorithm.V), "keymgr -t", func(a keyAnswer) string { return cmp.Or(a.Algorithm, noKey) })
	runs(p, b.Addr, "addresses", "where "+string(b.Name.V)+" is", b.Addresses.Range, "remote", b.id(), "address", strings.Join(b.texts(), " "))
	runs(p, b.Addr, "key_name", "the key that "+string(b.Name.V)+" is known by", b.at(b.KeyName.Range), "remote", b.id(), "key", q.Name+".")
}
