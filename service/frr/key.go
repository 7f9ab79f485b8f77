package frr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A keyQuestion is a password, of a neighbour of BGP or in a key chain, and the
// file that it has to be from.
type keyQuestion struct {
	Neighbor string `json:"neighbor,omitempty"`
	KeyChain string `json:"key_chain,omitempty"`
	Daemon   string `json:"daemon,omitempty"` // that has the key chain
	File     string `json:"file"`
}

// keyOf asks whether the password that a daemon has is the one that is in a file. No
// password leaves the probe.
var keyOf = &probe.Probe[keyQuestion, string]{Name: "frr.key", Look: lookKey}

// The answers, besides those of a daemon that does not run.
const (
	sameKey  = "the password of the file"
	otherKey = "another password"
	noKey    = "no password"
	noFile   = "no such file"
)

func lookKey(ctx context.Context, h probe.Host, q keyQuestion) (string, error) {
	daemon, section, word := "bgpd", "router bgp ", "neighbor "+q.Neighbor+" password "
	if q.KeyChain != "" {
		daemon, section, word = q.Daemon, "key chain "+q.KeyChain+" ", "key-string "
	}
	file, err := h.ReadFile(q.File)
	if errors.Is(err, fs.ErrNotExist) {
		return noFile, nil
	}
	if err != nil {
		return "", err
	}
	key, _, _ := strings.Cut(string(file), "\n")
	// From FRR 10 on mgmtd has the configuration of some daemons.
	for _, d := range []string{daemon, "mgmtd"} {
		lines, running, err := configured(ctx, h, d, section, word)
		switch {
		case err != nil:
			return "", err
		case !running && d == daemon:
			return daemon + " does not run", nil
		case !running:
			return "", errors.New(d + " does not run") // so what it would say is not known
		case len(lines) > 0 && lines[0] == word+key:
			return sameKey, nil
		case len(lines) > 0:
			return otherKey, nil
		}
	}
	return noKey, nil
}

// configured are the lines of a daemon's configuration that begin with a word, in the sections that begin
// with another.
func configured(ctx context.Context, h probe.Host, daemon, section, word string) (lines []string, running bool, err error) {
	text, running, err := ask(ctx, h, daemon, "enable", "write terminal")
	if errors.As(err, new(refusal)) { // it may repeat lines with passwords
		return nil, true, fmt.Errorf("%s does not tell its configuration", daemon)
	}
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if !strings.HasPrefix(line, " ") {
			inside = strings.HasPrefix(line+" ", section)
		}
		if line = strings.TrimLeft(line, " "); inside && strings.HasPrefix(line, word) {
			lines = append(lines, line)
		}
	}
	return lines, running, err
}

// checkKey adds the check that a daemon has the password of a secret: the file may have been
// replaced since FRR has read it, or have been missing.
func checkKey(p *verify.Plan, id, title string, from hcl.Range, q keyQuestion, s *router.Secret) {
	q.File = s.Location()
	hint := "systemctl status frr; ls -l " + q.File
	verify.Asked(p, verify.Check{ID: id, Title: title, From: from}, keyOf, q, sameKey, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(sameKey, got, hint)
	})
}
