package openssh

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// keysOfSpec is where NixOS puts the keys of users, in the words of AuthorizedKeysFile.
const keysOfSpec = "/etc/ssh/authorized_keys.d/%u"

// formerly are the names that sshd has kept from before for what it reads under another one now (keywords
// of servconf.c).
var formerly = map[string]string{
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
	"challengeresponseauthentication": "kbdinteractiveauthentication",
}

// settings are the keywords of sshd_config(5) in extra, in lower case: sshd knows them in any.
func (b *SSH) settings() map[string][]string {
	out := map[string][]string{}
	if !b.Extra.Set {
		return out
	}
	for k, v := range b.Extra.V.AsValueMap() {
		if !v.IsNull() {
			k = strings.ToLower(k)
			out[cmp.Or(formerly[k], k)] = words(v)
		}
	}
	return out
}

// words are a value as NixOS writes it into sshd_config, and sshd reads it.
func words(v cty.Value) []string {
	switch t := v.Type(); {
	case v.IsNull():
		return nil
	case t == cty.Bool && v.True():
		return []string{"yes"}
	case t == cty.Bool:
		return []string{"no"}
	case t == cty.Number:
		return []string{v.AsBigFloat().Text('f', -1)}
	case t == cty.String:
		return strings.Fields(v.AsString())
	case t.IsTupleType() || t.IsListType():
		var out []string
		for _, e := range v.AsValueSlice() {
			out = append(out, words(e)...)
		}
		return out
	}
	return nil
}

// judgeLogins finds an sshd that admits none of those who could administer the router.
func (b *SSH) judgeLogins(r *router.Router) hcl.Diagnostics {
	if r.ConsoleOnly.V {
		return nil
	}
	var first *hcl.Diagnostic
	for _, l := range router.Claimed[router.Login](r) {
		if !l.Root {
			continue
		}
		why, help, at := b.refuses(l)
		if why == "" {
			return nil
		}
		if first == nil {
			first = diag.Help(diag.Error("lock-out", at, "You would be locked out", "%s.", why),
				"%s, or say console_only = true in the router block.", help)
			if at != l.From {
				diag.With(first, l.From, "%s", l.Addr.String())
			}
		}
	}
	if first == nil {
		return nil // there is none, which the core says
	}
	return hcl.Diagnostics{first}
}

// refuses is why sshd does not let a user in, what to do about it and where it is said;
// empty if it may.
func (b *SSH) refuses(l *router.Login) (why, help string, at hcl.Range) {
	s := b.settings()
	yes := func(keyword string, otherwise bool) bool {
		if v := s[strings.ToLower(keyword)]; len(v) > 0 {
			return v[0] != "no"
		}
		return otherwise
	}
	say := func(keyword, effect string) (string, string, hcl.Range) {
		return fmt.Sprintf("%s in the extra of %s %s", keyword, b.Addr, effect), "Remove it", b.Extra.Range
	}
	shells := slices.DeleteFunc(slices.Clone(l.Keys), func(k router.SSHKey) bool { return k.NoShell() != "" })
	byPassword := yes("PasswordAuthentication", b.Passwords.V) || yes("KbdInteractiveAuthentication", b.Passwords.V)
	switch {
	case l.Password && !byPassword && !b.Passwords.V && !b.Extra.Set:
		return fmt.Sprintf("%s has a password and no key, and sshd takes keys only", l.Addr), "Put a key into authorized_keys", b.Def
	case l.Password && !byPassword:
		return say("PasswordAuthentication", "takes no passwords, and "+l.Addr.String()+" has no key")
	case !l.Password && !yes("PubkeyAuthentication", true):
		return say("PubkeyAuthentication", "takes no keys, and "+l.Addr.String()+" has no password")
	case !l.Password && s["authorizedkeysfile"] != nil && !slices.Contains(s["authorizedkeysfile"], keysOfSpec):
		return say("AuthorizedKeysFile", "leaves out "+keysOfSpec+", where the keys of "+l.Addr.String()+" are")
	case len(l.Keys) > 0 && len(shells) == 0:
		return fmt.Sprintf("no key of %s gives a shell, for %s is an option of it", l.Addr, l.Keys[0].NoShell()), "Add a key without such an option", l.From
	case l.User == "root" && len(s["permitrootlogin"]) > 0 && slices.Contains([]string{"no", "forced-commands-only"}, s["permitrootlogin"][0]):
		return say("PermitRootLogin", "does not let root in")
	case l.User == "root" && l.Password && !b.Passwords.V && (len(s["permitrootlogin"]) == 0 || s["permitrootlogin"][0] != "yes"):
		return say("PermitRootLogin", "lets root in with a key only")
	case yes("RefuseConnection", false):
		return say("RefuseConnection", "refuses everyone")
	case slices.Equal(s["maxsessions"], []string{"0"}):
		return say("MaxSessions", "lets no one have a shell")
	case slices.Equal(s["maxauthtries"], []string{"0"}):
		return say("MaxAuthTries", "ends each connection before a login")
	case len(s["forcecommand"]) > 0 && s["forcecommand"][0] != "none":
		return say("ForceCommand", "gives each login a command in place of its shell")
	case len(s["chrootdirectory"]) > 0 && !slices.Contains([]string{"none", "/"}, s["chrootdirectory"][0]):
		return say("ChrootDirectory", "locks each login into a folder")
	case s["match"] != nil:
		return say("Match", "has the rest of nbr's lines below it, which sshd takes for all connections only: it does not start")
	case len(l.Keys) > 0 && !accepts(s, shells):
		return say("PubkeyAcceptedAlgorithms", "takes no key of "+l.Addr.String())
	}
	if m, ok := s["authenticationmethods"]; ok && !slices.ContainsFunc(m, func(list string) bool { return methods(list, l.Password) }) {
		return say("AuthenticationMethods", "wants more than "+l.Addr.String()+" has")
	}
	for _, keyword := range []string{"DenyUsers", "DenyGroups", "AllowUsers", "AllowGroups"} {
		list, ok := s[strings.ToLower(keyword)]
		if !ok {
			continue
		}
		names := l.Groups
		if strings.HasSuffix(keyword, "Users") {
			names = []string{l.User}
		}
		deny := strings.HasPrefix(keyword, "Deny")
		if slices.ContainsFunc(names, func(n string) bool { return matches(list, n, deny) }) == deny {
			return say(keyword, "does not let "+l.Addr.String()+" in")
		}
	}
	return "", "", hcl.Range{}
}

// accepts tells whether PubkeyAcceptedAlgorithms leaves one of the keys a signature that sshd
// takes. A key of RSA signs with one of two hashes that sshd takes by itself (RFC 8332).
func accepts(settings map[string][]string, keys []router.SSHKey) bool {
	list := strings.Join(settings["pubkeyacceptedalgorithms"], ",")
	if list == "" || strings.HasPrefix(list, "+") || strings.HasPrefix(list, "^") {
		return true
	}
	list, less := strings.CutPrefix(list, "-")
	return slices.ContainsFunc(keys, func(k router.SSHKey) bool {
		signs := []string{k.Algorithm()}
		if signs[0] == "ssh-rsa" {
			signs = []string{"rsa-sha2-256", "rsa-sha2-512"}
		}
		return slices.ContainsFunc(signs, func(s string) bool {
			return less != slices.ContainsFunc(strings.Split(list, ","), func(p string) bool {
				ok, err := path.Match(p, s)
				return ok && err == nil
			})
		})
	})
}

// methods tells whether a user can do all of a list of AuthenticationMethods.
func methods(list string, password bool) bool {
	for m := range strings.SplitSeq(list, ",") {
		m, _, _ = strings.Cut(m, ":")
		if m != "any" && (m == "publickey") == password {
			return false
		}
	}
	return true
}

// matches tells whether a name fits a list of patterns (ssh_config(5), PATTERNS). One for a
// single host denies the user elsewhere nothing, and may allow.
func matches(list []string, name string, deny bool) bool {
	fits := false
	for _, p := range list {
		p, not := strings.CutPrefix(p, "!")
		user, host, single := strings.Cut(p, "@")
		if single && deny && host != "*" {
			continue
		}
		if ok, err := path.Match(strings.ReplaceAll(user, "[", `\[`), name); err == nil && ok {
			if not {
				return false
			}
			fits = true
		}
	}
	return fits
}

// known are the keywords that nbr writes outside of the settings that extra is merged into,
// with the attribute of the ssh block that says them. sshd adds such a line to nbr's.
var known = map[string]string{"port": "port", "listenaddress": "networks"}

// judgeExtra warns of keywords that say what the spec says otherwise, and of those whose
// letters are not those of NixOS: sshd then has the line twice, and takes one of them.
func (b *SSH) judgeExtra() hcl.Diagnostics {
	if !b.Extra.Set {
		return nil
	}
	var diags hcl.Diagnostics
	own := []string{"KbdInteractiveAuthentication", "PasswordAuthentication", "PermitRootLogin"}
	for _, k := range slices.Sorted(maps.Keys(b.Extra.V.AsValueMap())) {
		if attr := known[strings.ToLower(k)]; attr != "" {
			diags = append(diags, diag.With(diag.Help(diag.Warning("extra-overrides", b.Extra.Range, "Extra overrides the spec",
				"sshd would listen elsewhere, too, than %s of %s says, where nbr verify does not look and the firewall lets no packets in.", attr, b.Addr),
				"Set %s instead.", attr), b.Def, "%s", b.Addr.String()))
		}
		for _, o := range own {
			if k != o && strings.EqualFold(k, o) {
				diags = append(diags, diag.With(diag.Help(diag.Warning("extra-overrides", b.Extra.Range, "Extra overrides the spec",
					"%s is %s to sshd, which nbr sets, and of two lines sshd takes the first.", k, o),
					"Write %s, which takes the place of nbr's line.", o), b.Def, "%s", b.Addr.String()))
			}
		}
	}
	return diags
}
