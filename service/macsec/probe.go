package macsec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A session is what wpa_supplicant says of MKA on a link.
type session struct {
	CKN      string `json:"ckn,omitempty"` // empty if it does not speak MKA there
	Priority int    `json:"priority,omitempty"`
	Peers    int    `json:"peers,omitempty"` // other ends that have shown that they have the key
}

// A talk is a socket of wpa_supplicant, by its folder and the link that MKA is spoken on.
type talk struct {
	Folder string `json:"folder"`
	Link   string `json:"link"`
}

// agreement asks wpa_supplicant by its control socket (ieee802_1x_kay_get_status in src/pae/ieee802_1x_kay.c).
// It says nothing of keys.
var agreement = &probe.Probe[talk, session]{Name: "macsec.mka", Look: askSession}

// answerTime is how long wpa_supplicant may take. It answers between two frames.
const answerTime = 5 * time.Second

func askSession(ctx context.Context, h probe.Host, q talk) (session, error) {
	c, err := h.Dial(ctx, "unixgram", q.Folder+"/"+q.Link)
	switch {
	case errors.Is(err, fs.ErrNotExist), probe.Silent(err): // the latter where it was killed
		return session{}, nil
	case err != nil:
		return session{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return session{}, err
	}
	if _, err := c.Write([]byte("STATUS")); err != nil {
		return session{}, err
	}
	b := make([]byte, 1<<14) // wpa_supplicant has 4 KiB for an answer
	n, err := c.Read(b)
	if err != nil {
		return session{}, fmt.Errorf("wpa_supplicant says nothing: %w", err)
	}
	return parseSession(string(b[:n]))
}

// parseSession reads lines of a word, an equals sign and a value.
func parseSession(status string) (session, error) {
	said := map[string]string{}
	for line := range strings.Lines(status) {
		if word, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			said[word] = value
		}
	}
	if said["wpa_state"] == "" {
		return session{}, errors.New("wpa_supplicant says nothing of a state")
	}
	s := session{CKN: probe.Printable(said["ckn"])}
	if s.CKN == "" { // it has not begun
		return session{}, nil
	}
	for word, into := range map[string]*int{"Actor Priority": &s.Priority, "live_peers": &s.Peers} {
		n, err := strconv.Atoi(said[word])
		if err != nil {
			return session{}, fmt.Errorf("wpa_supplicant says nothing of %s: %w", word, err)
		}
		*into = n
	}
	return s, nil
}

// secured is what the kernel has of a link (macsec_get_txsc in drivers/net/macsec.c).
type secured struct {
	There      bool   `json:"there,omitempty"`
	Protect    bool   `json:"protect,omitempty"`  // frames are sent with a check value, or not at all
	Encrypt    bool   `json:"encrypt,omitempty"`  // they are encrypted, too
	Validate   string `json:"validate,omitempty"` // strict drops what has no right check value
	Replay     bool   `json:"replay,omitempty"`
	Window     int    `json:"window,omitempty"`
	Cipher     string `json:"cipher,omitempty"`
	Identifier string `json:"identifier,omitempty"` // of the channel to the other end: a MAC address and a port in hexadecimal
	Sends      bool   `json:"sends,omitempty"`      // there is a key for that channel
	Receives   int    `json:"receives,omitempty"`   // channels from other ends for which there is a key
}

// channels asks the kernel, by ip-macsec(8). It does not print keys, but names that MKA gives them.
var channels = &probe.Probe[string, secured]{Name: "macsec.link", Look: func(ctx context.Context, h probe.Host, link string) (secured, error) {
	out, err := h.Run(ctx, "ip", "-json", "macsec", "show")
	if err != nil {
		return secured{}, err
	}
	if out.Exit != 0 {
		return secured{}, fmt.Errorf("ip macsec show: exit code %d", out.Exit)
	}
	return parseSecured(out.Stdout, link)
}}

// parseSecured reads what ip prints, which is nothing where there is no such link at all.
func parseSecured(stdout []byte, link string) (secured, error) {
	type association struct {
		AN     int  `json:"an"`
		Active bool `json:"active"`
	}
	var all []struct {
		Name     string        `json:"ifname"`
		Protect  bool          `json:"protect"`
		Encrypt  bool          `json:"encrypt"`
		Validate string        `json:"validate"`
		Replay   bool          `json:"replay"`
		Window   int           `json:"window"`
		Cipher   string        `json:"cipher_suite"`
		SCI      string        `json:"sci"`
		Encoding int           `json:"encoding_sa"`
		SAs      []association `json:"sa_list"`
		Channels []struct {
			Active bool          `json:"active"`
			SAs    []association `json:"sa_list"`
		} `json:"rx_sc"`
	}
	if text := strings.TrimSpace(string(stdout)); text != "" {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return secured{}, fmt.Errorf("ip macsec show: %w", err)
		}
	}
	for _, l := range all {
		if l.Name != link {
			continue
		}
		id, err := strconv.ParseUint(strings.TrimPrefix(l.SCI, "0x"), 16, 64)
		if err != nil {
			return secured{}, fmt.Errorf("ip macsec show: %w", err)
		}
		s := secured{
			There: true, Protect: l.Protect, Encrypt: l.Encrypt, Validate: probe.Printable(l.Validate), Replay: l.Replay, Window: l.Window,
			Cipher: probe.Printable(l.Cipher), Identifier: fmt.Sprintf("%016x", id),
		}
		for _, sa := range l.SAs {
			s.Sends = s.Sends || sa.Active && sa.AN == l.Encoding
		}
		for _, sc := range l.Channels {
			for _, sa := range sc.SAs {
				if sc.Active && sa.Active {
					s.Receives++
					break // while keys are renewed there are two
				}
			}
		}
		return s, nil
	}
	return secured{}, nil
}

// A keyUse is a file with a key, and the configuration that wpa_supplicant has read it in.
type keyUse struct {
	File   string `json:"file"`
	Staged string `json:"staged"`
}

// The answers of keyOf.
const (
	sameKey  = "the key of the file"
	otherKey = "another key"
	noKey    = "no key"
)

// aKey is a key as the script wants it, and stagedKey the line that it makes of it.
var (
	aKey      = regexp.MustCompile(`^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64})$`)
	stagedKey = regexp.MustCompile(`(?m)^  mka_cak=(.*)$`)
)

// keyOf asks whether wpa_supplicant has the key that is in a file. No key leaves the probe.
var keyOf = &probe.Probe[keyUse, string]{Name: "macsec.key", Look: func(_ context.Context, h probe.Host, q keyUse) (string, error) {
	file, err := h.ReadFile(q.File)
	if errors.Is(err, fs.ErrNotExist) {
		return noKey, nil
	}
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	if !aKey.MatchString(first) {
		return noKey, nil
	}
	staged, err := h.ReadFile(q.Staged)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if m := stagedKey.FindSubmatch(staged); m != nil && string(m[1]) == first {
		return sameKey, nil
	}
	return otherKey, nil
}}
