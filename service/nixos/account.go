package nixos

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// account is what the system knows of a user, without the password.
type account struct {
	FullName string   `json:"full_name,omitempty"` // the comment field of passwd(5)
	Groups   []string `json:"groups,omitempty"`    // that group(5) lists the user in, sorted
	Keys     []string `json:"keys,omitempty"`      // of NixOS's authorized_keys file, sorted
}

// accountOf asks for a user by name. One that does not exist has nothing.
var accountOf = &probe.Probe[UserName, account]{Name: "nixos.account", Look: lookAccount}

// authorizedKeys is the folder with the keys that are part of the system
// (users.users.NAME.openssh.authorizedKeys.keys).
const authorizedKeys = "/etc/ssh/authorized_keys.d/"

func lookAccount(_ context.Context, h probe.Host, name UserName) (account, error) {
	var a account
	passwd, err := h.ReadFile("/etc/passwd")
	if err != nil {
		return a, err
	}
	group, err := h.ReadFile("/etc/group")
	if err != nil {
		return a, err
	}
	keys, err := h.ReadFile(authorizedKeys + string(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	for l := range strings.Lines(string(passwd)) {
		if f := strings.Split(strings.TrimSpace(l), ":"); len(f) == 7 && f[0] == string(name) {
			a.FullName = f[4]
		}
	}
	for l := range strings.Lines(string(group)) {
		f := strings.Split(strings.TrimSpace(l), ":")
		if len(f) == 4 && slices.Contains(strings.Split(f[3], ","), string(name)) {
			a.Groups = append(a.Groups, f[0])
		}
	}
	for l := range strings.Lines(string(keys)) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			a.Keys = append(a.Keys, l)
		}
	}
	slices.Sort(a.Groups)
	slices.Sort(a.Keys)
	return a, nil
}

// checkAccount adds the checks of what the user may do and is called.
func (u *User) checkAccount(p *verify.Plan) {
	name := u.Name.V
	ask := func(what, title, want, hint string, get func(account) string) {
		c := verify.Check{ID: u.Addr.String() + "/" + what, Title: title, From: u.Def}
		verify.Asked(p, c, accountOf, name, want, hint, func(_ *state.State, a account) verify.Verdict {
			return verify.Compare(want, get(a), hint)
		})
	}
	// Another module may give more groups, but never root's rights.
	wanted := u.groups()
	ask("groups", "groups of "+string(name), verify.List(wanted), "id "+string(name), func(a account) string {
		return verify.List(slices.DeleteFunc(slices.Clone(a.Groups), func(g string) bool { return g != "wheel" && !slices.Contains(wanted, g) }))
	})
	var keys []string
	for _, k := range u.Keys.All() {
		keys = append(keys, string(k))
	}
	slices.Sort(keys)
	ask("keys", "SSH keys of "+string(name), verify.List(keys), "cat "+authorizedKeys+string(name), func(a account) string { return verify.List(a.Keys) })
	if u.Description.Set {
		want := string(u.Description.V)
		ask("full-name", "full name of "+string(name), want, "getent passwd "+string(name), func(a account) string { return a.FullName })
	}
}

// groups are the groups of the user, sorted.
func (u *User) groups() []string {
	var out []string
	for _, g := range u.Groups.All() {
		out = append(out, string(g))
	}
	if u.Admin.V {
		out = append(out, "wheel")
	}
	slices.Sort(out)
	return slices.Compact(out)
}
