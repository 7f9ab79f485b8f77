// Package nixos is what NixOS itself is told: users, the host's name and time
// zone, how Nix behaves, secrets and the programs that blocks ask for.
package nixos

import (
	"cmp"
	"fmt"
	"regexp"
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

// UserKind is the user block.
func UserKind() service.Kind {
	return service.Kind{
		Type: "user", Doc: "An account that may log in.",
		Software: "NixOS",
		Example: `user "anna" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl anna@desk"]
  admin           = true
}
`,
		Program: service.Alone("users", (*User).lower),
		Probes:  []probe.Any{accountOf}, New: func() service.Block { return &User{} },
	}
}

// User is the user block.
type User struct {
	conf.Header
	Name         conf.Value[UserName]            `hcl:"name,key"`
	Keys         conf.List[router.SSHKey]        `hcl:"authorized_keys,optional" doc:"SSH public keys, a line of authorized_keys each."`
	PasswordHash conf.Value[router.PasswordHash] `hcl:"hashed_password,optional" doc:"Hash of the password, as mkpasswd prints it. It is readable by everyone on the router; hashed_password_file is better."`
	PasswordFile conf.Ref[*router.Secret]        `hcl:"hashed_password_file,optional" doc:"The secret that holds the hash of the password."`
	Admin        conf.Value[bool]                `hcl:"admin,optional" default:"false" doc:"May become root with sudo. Where an admin has no password, sudo asks none of them for one."`
	Groups       conf.List[UserName]             `hcl:"groups,optional" doc:"Further groups."`
	Description  conf.Value[FullName]            `hcl:"description,optional" doc:"The user's full name."`
}

// UserName is the name of a user or group.
type UserName string

var userRE = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

// systemUsers are accounts that NixOS and the programs of a router make for themselves,
// which must not be normal users (nixos/modules/misc/ids.nix, and the services' modules).
var systemUsers = []string{
	"avahi", "chrony", "dhcpcd", "frr", "frr-exporter", "kea", "knot-exporter", "knot-resolver", "lldpd", "messagebus", "nbr-agent", "nbr-look",
	"nobody", "node-exporter", "nscd",
	"polkituser", "radvd", "rtkit", "sshd", "tss",
}

// Families of them: builders of Nix, and the programs of systemd.
var systemUserRE = regexp.MustCompile(`^(nixbld[0-9]*|systemd-.*)$`)

// knownGroups are the groups that a router of nbr has, or that a module of NixOS makes once it is
// switched on (nixos/modules/config/users-groups.nix, virtualisation/, hardware/).
var knownGroups = []string{
	"adm", "audio", "cdrom", "clock", "dialout", "disk", "docker", "floppy", "frrvty", "gpio", "i2c", "incus-admin",
	"input", "keys", "kmem", "kvm", "libvirtd", "lp", "networkmanager", "nixbld", "nogroup", "plugdev", "podman", "render",
	"root", "sgx", "shadow", "spi", "tape", "tty", "users", "utmp", "uucp", "video", "wheel", "wireshark",
}

// knownGroup tells whether a group is one of them, or a program's that makes itself a user.
func knownGroup(g string) bool {
	return slices.Contains(knownGroups, g) || slices.Contains(systemUsers, g) || systemUserRE.MatchString(g)
}

// UnmarshalText has the grammar of useradd(8).
func (u *UserName) UnmarshalText(b []byte) error {
	if !userRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no user name", b), "write a lower-case letter, then lower-case letters, digits, - and _, at most 31 in all")
	}
	*u = UserName(b)
	return nil
}

// Describe is what the type is in the schema.
func (UserName) Describe() string { return "user name" }

// FullName is the comment field of passwd(5).
type FullName string

var fullNameRE = regexp.MustCompile(`^[^:\x00-\x1f\x7f]*$`)

// UnmarshalText refuses what would break a line of passwd(5).
func (f *FullName) UnmarshalText(b []byte) error {
	if !fullNameRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q cannot stand in passwd(5)", b), "write it without a colon and a line end")
	}
	*f = FullName(b)
	return nil
}

// Describe is what the type is in the schema.
func (FullName) Describe() string { return "full name" }

// Claim claims the login, by key or by password.
func (u *User) Claim(s *router.Scope) {
	login := router.Login{User: string(u.Name.V), Root: u.Admin.V || u.Name.V == "root", Groups: u.member()}
	if len(u.Keys.Items) > 0 {
		byKey := login
		byKey.Keys = u.Keys.All()
		router.Claim(s, u.Keys.Range, byKey)
	}
	login.Password = true
	if u.PasswordFile.Set {
		s.Secret(u.PasswordFile.Range, router.SecretUse{Secret: u.PasswordFile.Target, For: router.AccountPassword, Owner: "root", Account: true})
		router.Claim(s, u.PasswordFile.Range, login)
	}
	if u.PasswordHash.Set {
		router.Claim(s, u.PasswordHash.Range, login)
	}
}

// member are the groups that the user is in, by NixOS or by the spec.
func (u *User) member() []string {
	first := "users"
	if u.Name.V == "root" {
		first = "root"
	}
	return append([]string{first}, u.groups()...)
}

// Judge warns of passwords that everyone can read, and of groups that are not there.
func (u *User) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if f := u.PasswordFile; f.Set && f.Target.Source.V == router.SourceFile && f.Target.Path.V.Volatile() {
		diags = append(diags, diag.With(diag.Help(diag.Warning("password-not-at-boot", f.Range, "Password that is not there at boot",
			"%s is in memory and empty when the accounts are made: %s would be locked after every restart.", f.Target.Path.V, u.Addr),
			"Give the secret a path that stays, as in /var/lib/secrets/%s, or an encrypted file with source = \"sops\" or \"agenix\".", f.Target.Name.V), f.Target.Path.Range, "%s", f.Target.Addr.String()))
	}
	for _, g := range u.Groups.Items {
		if !knownGroup(string(g.V)) && !r.HasModules() {
			diags = append(diags, diag.Help(diag.Warning("no-such-group", g.Range, "Group that is not there",
				"No module that nbr knows makes a group %s, and NixOS passes over a group that is not there.", g.V),
				"%s", cmp.Or(strings.TrimSpace(diag.Suggest(string(g.V), knownGroups)), "Remove it, or name the module that makes it in import of the router.")))
		}
	}
	if slices.Contains(systemUsers, string(u.Name.V)) || systemUserRE.MatchString(string(u.Name.V)) {
		return append(diags, diag.Help(diag.Error("reserved-name", u.Def, "Reserved name",
			"%q cannot be the name: NixOS has an account of this name for a program.", u.Name.V),
			"Choose another one."))
	}
	if len(u.Keys.Items) == 0 && !u.PasswordHash.Set && !u.PasswordFile.Set && u.Name.V != "root" { // every system has that account
		diags = append(diags, diag.Help(diag.Warning("user-without-login", u.Def, "Account without a login",
			"%s has neither keys nor a password.", u.Addr),
			"Give it authorized_keys or hashed_password_file, or remove it."))
	}
	if !u.PasswordHash.Set {
		return diags
	}
	diags = append(diags, diag.Help(diag.Warning("password-in-store", u.PasswordHash.Range, "Password in the Nix store",
		"The hash ends in the flake's git and in the Nix store, where everyone on the router can read it and try passwords against it."),
		"Use authorized_keys, or put the hash into a secret: hashed_password_file = secret.…"))
	if u.PasswordFile.Set {
		diags = append(diags, diag.With(diag.Help(diag.Error("two-passwords", u.PasswordFile.Range, "Two passwords",
			"%s has hashed_password already.", u.Addr),
			"Remove one of the two."), u.PasswordHash.Range, "the other one"))
	}
	return diags
}

// lower sets users.users.
func (u *User) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(u)
	set := func(at hcl.Range, v nixgen.Expr, path ...string) {
		m.Set(service.Origin(u.Addr, at), v, append([]string{"users", "users", string(u.Name.V)}, path...)...)
	}
	m.Set(nixgen.Origin{}, nixgen.Bool(false), "users", "mutableUsers")
	if u.Name.V != "root" {
		m.Set(from, nixgen.Bool(true), "users", "users", string(u.Name.V), "isNormalUser")
	}
	if len(u.Keys.Items) > 0 {
		set(u.Keys.Range, service.Strs(u.Keys.All()), "openssh", "authorizedKeys", "keys")
	}
	if u.PasswordHash.Set {
		set(u.PasswordHash.Range, nixgen.Str(u.PasswordHash.V), "hashedPassword")
	}
	if u.PasswordFile.Set {
		set(u.PasswordFile.Range, nixgen.Str(u.PasswordFile.Target.Location()), "hashedPasswordFile")
	}
	groups := u.Groups.All()
	if u.Admin.V {
		groups = append(groups, "wheel")
		if !u.PasswordHash.Set && !u.PasswordFile.Set {
			// There is no password to ask for; the key is what they are trusted with.
			m.Set(nixgen.Origin{}, nixgen.Bool(false), "security", "sudo", "wheelNeedsPassword")
		}
	}
	if len(groups) > 0 {
		m.Set(from, service.Strs(groups), "users", "users", string(u.Name.V), "extraGroups")
	}
	if u.Description.Set {
		set(u.Description.Range, nixgen.Str(u.Description.V), "description")
	}
}

// Checks look for the account, its groups and its keys. What the password is stays unread.
func (u *User) Checks(r *router.Router, p *verify.Plan) {
	name := string(u.Name.V)
	p.Add(verify.Check{
		ID: u.Addr.String() + "/account", Title: "account of " + name, From: u.Def,
		Eval: func(st *state.State) verify.Verdict {
			hint := "getent passwd " + name
			switch {
			case st.Users == nil:
				return verify.NotSeen(name, hint)
			case !slices.Contains(st.Users, name):
				return verify.Missing(name, hint)
			}
			return verify.Compare(name, name, hint)
		},
	})
	u.checkAccount(p)
}
