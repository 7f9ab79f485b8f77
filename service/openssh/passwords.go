package openssh

import (
	"cmp"
	"strings"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// checkPasswords adds the checks of the ways of logging in that sshd takes. Of a keyword that stands
// twice the first counts (sshd_config(5)).
func (b *SSH) checkPasswords(p *verify.Plan) {
	word := "no"
	if b.Passwords.V {
		word = "yes"
	}
	for _, keyword := range []string{"PasswordAuthentication", "KbdInteractiveAuthentication"} {
		if b.Extra.Set && b.Extra.V.Type().HasAttribute(keyword) {
			continue // the user says it otherwise
		}
		want, hint := keyword+" "+word, "sshd -T | grep -i "+keyword
		c := verify.Check{ID: b.Addr.String() + "/" + keyword, Title: "what sshd takes", From: cmp.Or(b.Passwords.Range, b.Def)}
		q := probe.Setting{File: "/etc/ssh/sshd_config", Keyword: keyword}
		verify.Asked(p, c, probe.Settings, q, want, hint, func(_ *state.State, values []string) verify.Verdict {
			if len(values) == 0 {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, keyword+" "+strings.ToLower(values[0]), hint)
		})
	}
}
