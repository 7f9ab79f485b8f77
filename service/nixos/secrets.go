package nixos

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// hostKey is the key of the router that sops-nix and agenix decrypt with, of those that
// sshd makes for itself (services.openssh.hostKeys).
const hostKey = "/etc/ssh/ssh_host_ed25519_key"

// secrets declares the secrets that sops-nix or agenix put in place, for those
// who read them.
func secrets(r *router.Router, m *nixgen.Module) {
	imported := map[router.Source]bool{}
	sshd := slices.ContainsFunc(router.Claimed[router.Listen](r), func(l *router.Listen) bool { return l.Unit == "sshd" })
	for _, s := range r.Secrets {
		if s.Source.V == router.SourceFile {
			continue
		}
		if !imported[s.Source.V] {
			imported[s.Source.V] = true
			m.Imports = append(m.Imports, sourceModule[s.Source.V])
			if !sshd {
				m.Set(service.From(s), service.Strs([]string{hostKey}), identities[s.Source.V]...)
				makeHostKey(m, s)
			}
		}
		from := service.From(s)
		name := string(s.Name.V)
		file := nixgen.Path("./spec/" + string(s.File.V))
		if s.Source.V == router.SourceAgenix {
			m.Set(from, file, "age", "secrets", name, "file")
			for _, u := range users(r, s) {
				m.Set(service.By(u.By), nixgen.Str(u.Owner), "age", "secrets", name, "owner")
			}
			continue
		}
		m.Set(from, file, "sops", "secrets", name, "sopsFile")
		if s.Key.Set {
			m.Set(from, nixgen.Str(s.Key.V), "sops", "secrets", name, "key")
		}
		for _, u := range users(r, s) {
			if u.Account {
				m.Set(service.By(u.By), nixgen.Bool(true), "sops", "secrets", name, "neededForUsers")
			}
			m.Set(service.By(u.By), nixgen.Str(u.Owner), "sops", "secrets", name, "owner")
			if u.Unit != "" {
				m.Add(service.By(u.By), []string{"sops", "secrets", name, "restartUnits"}, nixgen.Str(u.Unit+".service"))
			}
		}
	}
}

var sourceModule = map[router.Source]nixgen.Expr{
	router.SourceSOPS:   nixgen.Var("sops-nix.nixosModules.sops"),
	router.SourceAgenix: nixgen.Var("agenix.nixosModules.default"),
}

// identities are the options that name the keys to decrypt with. Both have those of sshd
// for a default, and none without it.
var identities = map[router.Source][]string{
	router.SourceSOPS:   {"sops", "age", "sshKeyPaths"},
	router.SourceAgenix: {"age", "identityPaths"},
}

// makeHostKey makes the key where no sshd does. What is encrypted for it cannot be read
// before its public half was read; a key that is there is left alone.
func makeHostKey(m *nixgen.Module, s *router.Secret) {
	set := func(v nixgen.Expr, path ...string) {
		m.Set(service.From(s), v, append([]string{"systemd", "services", "nbr-host-key"}, path...)...)
	}
	set(nixgen.Str("The key that secrets are encrypted for"), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.Str("oneshot"), "serviceConfig", "Type")
	set(nixgen.List{nixgen.Var("pkgs.openssh")}, "path")
	// As NixOS does it for sshd: a start that was cut off leaves an empty file.
	set(nixgen.Lines(fmt.Sprintf(`if ! [ -s %[1]s ]; then
  mkdir -p /etc/ssh
  rm -f %[1]s %[1]s.pub
  ssh-keygen -q -t ed25519 -N "" -C "" -f %[1]s
  sync
fi
`, hostKey)), "script")
}

// users are the programs that read a secret.
func users(r *router.Router, s *router.Secret) []*router.SecretUse {
	var out []*router.SecretUse
	for _, u := range router.Claimed[router.SecretUse](r) {
		if u.Secret == s {
			out = append(out, u)
		}
	}
	return out
}

// secret adds the check of a secret's file: it is there, its owner can read it and is
// its owner, and others cannot.
func secret(r *router.Router, p *verify.Plan, s *router.Secret) {
	path := s.Location()
	owner := "root"
	if readers := users(r, s); len(readers) > 0 {
		owner = readers[0].Owner
	}
	want, hint := fmt.Sprintf("a file of %s that others cannot read", owner), "stat "+path
	p.Add(verify.Check{
		ID: s.Addr.String() + "/file", Title: path, From: s.Def,
		Needs: []state.Need{{Kind: state.NeedFile, Name: path}},
		Eval: func(st *state.State) verify.Verdict {
			if st.Files == nil {
				return verify.NotSeen(want, hint)
			}
			f, ok := st.Files[path]
			if !ok {
				return verify.Missing(want, hint)
			}
			if f.Kind != "" {
				return verify.Compare(want, "a "+f.Kind, hint)
			}
			got := fmt.Sprintf("owner %s, group %s, mode %s", f.Owner, f.Group, f.Mode)
			mode, err := strconv.ParseUint(f.Mode, 8, 32)
			private := mode&0o007 == 0 && (mode&0o070 == 0 || slices.Contains([]string{owner, "root", "keys", "wheel"}, f.Group))
			return verify.Judge(err == nil && private && f.Owner == owner, want, got, hint)
		},
	})
}

// hostKey adds the check of the key that the router decrypts its secrets with: without it
// none of them is there after the next start, whatever is there now.
func (b *Nix) hostKey(r *router.Router, p *verify.Plan) {
	i := slices.IndexFunc(r.Secrets, func(s *router.Secret) bool { return s.Source.V != router.SourceFile })
	if i < 0 {
		return
	}
	const want, hint = "a file of root that no other user can read", "stat " + hostKey
	p.Add(verify.Check{
		ID: b.Addr.String() + "/host-key", Title: "the key that decrypts secrets", From: r.Secrets[i].Def,
		Needs: []state.Need{{Kind: state.NeedFile, Name: hostKey}},
		Eval: func(st *state.State) verify.Verdict {
			if st.Files == nil {
				return verify.NotSeen(want, hint)
			}
			f, ok := st.Files[hostKey]
			if !ok {
				return verify.Missing(want, hint)
			}
			mode, err := strconv.ParseUint(f.Mode, 8, 32)
			return verify.Judge(err == nil && f.Kind == "" && mode&0o077 == 0 && f.Owner == "root", want,
				fmt.Sprintf("owner %s, mode %s", f.Owner, f.Mode), hint)
		},
	})
}
