package pppoe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A line is a link that a provider's line is on, and the unit of the pppd that dials in there.
type line struct {
	Link string `json:"link"`
	Unit string `json:"unit"`
}

// A session is what the kernel and pppd know of a line.
type session struct {
	Peer string `json:"peer,omitempty"` // MAC address of the provider's end; empty without a session
	Said string `json:"said,omitempty"` // the last thing that pppd said of how it fares, or nothing
}

// sessionOn asks for the session on a link.
var sessionOn = &probe.Probe[line, session]{Name: "pppoe.session", Look: lookSession}

func lookSession(ctx context.Context, h probe.Host, q line) (session, error) {
	// pppoe_seq_show in drivers/net/ppp/pppoe.c. Before the first session there is no such file.
	table, err := h.ReadFile("/proc/net/pppoe")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return session{}, err
	}
	s := session{Peer: peerOn(table, q.Link)}
	out, err := h.Run(ctx, "journalctl", "--unit="+q.Unit, "--lines=100", "--output=cat", "--no-pager", "--quiet")
	switch {
	case err == nil && out.Exit == 0:
		s.Said = lastSaid(string(out.Stdout))
	case s.Peer != "": // of one that is there the kernel tells enough
	case err != nil:
		return session{}, err
	default:
		return session{}, fmt.Errorf("journalctl: exit code %d", out.Exit)
	}
	return s, nil
}

// peerOn is the other end of the session on a link in the kernel's table, whose fields are the
// session's number, a MAC address and a link; empty if there is none.
func peerOn(table []byte, link string) string {
	for l := range bytes.Lines(table) { // the first has titles
		if f := strings.Fields(string(l)); len(f) == 3 && f[2] == link && f[0] != "Id" {
			return f[1]
		}
	}
	return ""
}

// What pppd and its plugin say of how it fares, each at the beginning of a line (pppd/auth.c,
// pppd/upap.c, pppd/chap.c, pppd/lcp.c and pppd/plugins/pppoe of pppd 2.5).
var (
	refused = []string{"PAP authentication failed", "CHAP authentication failed", "No response to PAP authenticate-requests"}
	ends    = []string{"LCP terminated by peer", "Connection terminated", "Modem hangup"}
	others  = []string{
		"Timeout waiting for PAD", "Unable to complete PPPoE Discovery", "LCP: timeout sending Config-Requests", "No response to ",
		"PAP authentication succeeded", "CHAP authentication succeeded",
	}
)

// lastSaid is the last line of pppd's that tells how it fares. An end after a refusal is its
// consequence.
func lastSaid(journal string) string {
	last := ""
	for l := range strings.Lines(journal) {
		l = strings.TrimSpace(l)
		if says(l, refused) || says(l, others) || says(l, ends) && !says(last, refused) {
			last = l
		}
	}
	return probe.Printable(last)
}

// says tells whether a line begins with one of the words.
func says(l string, words []string) bool {
	for _, w := range words {
		if strings.HasPrefix(l, w) {
			return true
		}
	}
	return false
}

// A passwordUse is a file with a password, and the one that pppd has made of it.
type passwordUse struct {
	File   string `json:"file"`
	Staged string `json:"staged"`
}

// passwordOf asks whether pppd has the password that is in a file. No password leaves the probe.
var passwordOf = &probe.Probe[passwordUse, string]{Name: "pppoe.password", Look: lookPassword}

// The answers.
const (
	samePassword  = "the password of the file"
	otherPassword = "another password"
	noPassword    = "no password"
)

func lookPassword(_ context.Context, h probe.Host, q passwordUse) (string, error) {
	file, err := h.ReadFile(q.File)
	if err != nil {
		return "", err
	}
	staged, err := h.ReadFile(q.Staged)
	if errors.Is(err, fs.ErrNotExist) {
		return noPassword, nil
	}
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	// As the script has it, to which spaces are a part of the password.
	if string(staged) == "password "+quote(first)+"\n" {
		return samePassword, nil
	}
	return otherPassword, nil
}
