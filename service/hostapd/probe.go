package hostapd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A daemon is what hostapd says of one of its interfaces.
type daemon struct {
	State    string   `json:"state,omitempty"`    // in its own words, as ENABLED; empty if hostapd is not on the interface
	Standard Standard `json:"standard,omitempty"` // the newest of those that are on
	Keys     []string `json:"keys,omitempty"`     // how clients get their keys (wpa_key_mgmt), sorted; none without encryption
	Pairwise []string `json:"pairwise,omitempty"` // the ciphers of frames to one client
	Group    string   `json:"group,omitempty"`    // the cipher of frames to all of them
	RADIUS   string   `json:"radius,omitempty"`   // the server that it asks who gets in, as in 192.168.1.9:1812

	// Counters of that server since hostapd has the interface (RFC 4668 section 7).
	Requests int `json:"requests,omitempty"`
	Timeouts int `json:"timeouts,omitempty"` // of requests, each of which has several
	Answers  int `json:"answers,omitempty"`
	Forged   int `json:"forged,omitempty"` // of the answers, those that are not by the secret
}

// daemonOf asks hostapd by its control socket (hostapd_ctrl_iface_receive_process in hostapd/ctrl_iface.c).
// What it says of passwords, as some builds of it do, is not read.
var daemonOf = &probe.Probe[string, daemon]{Name: "hostapd.interface", Look: askDaemon}

func askDaemon(ctx context.Context, h probe.Host, device string) (daemon, error) {
	c, err := h.Dial(ctx, "unixgram", "/run/hostapd/"+device)
	switch {
	case errors.Is(err, fs.ErrNotExist), probe.Silent(err): // the latter where hostapd was killed
		return daemon{}, nil
	case err != nil:
		return daemon{}, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return daemon{}, err
	}
	say := func(command string) (map[string]string, error) {
		if _, err := c.Write([]byte(command)); err != nil {
			return nil, err
		}
		b := make([]byte, 1<<14) // hostapd has 4 KiB for an answer
		n, err := c.Read(b)
		if err != nil {
			return nil, fmt.Errorf("hostapd says nothing to %s: %w", command, err)
		}
		return read(string(b[:n])), nil
	}
	status, err := say("STATUS")
	if err != nil {
		return daemon{}, err
	}
	config, err := say("GET_CONFIG")
	if err != nil {
		return daemon{}, err
	}
	d, err := parse(status, config)
	if err != nil || !slices.ContainsFunc(d.Keys, func(k string) bool { return strings.Contains(k, "EAP") }) {
		return d, err
	}
	mib, err := say("MIB") // RFC 4668
	if err != nil {
		return daemon{}, err
	}
	return d, d.count(mib)
}

// count reads what the MIB says of a server. There is none before the radio sends.
func (d *daemon) count(mib map[string]string) error {
	a := mib["radiusAuthServerAddress"]
	if a == "" {
		return nil
	}
	d.RADIUS = net.JoinHostPort(a, mib["radiusAuthClientServerPortNumber"])
	for word, into := range map[string]*int{
		"AccessRequests": &d.Requests, "Timeouts": &d.Timeouts, "BadAuthenticators": &d.Forged,
		// They are counted before their authenticator is looked at (radius_client_receive in radius_client.c).
		"AccessAccepts": &d.Answers, "AccessRejects": &d.Answers, "AccessChallenges": &d.Answers,
	} {
		n, err := strconv.Atoi(mib["radiusAuthClient"+word])
		if err != nil {
			return fmt.Errorf("hostapd says nothing of radiusAuthClient%s: %w", word, err)
		}
		*into += n
	}
	return nil
}

// answerTime is how long hostapd may take. It answers between two frames.
const answerTime = 5 * time.Second

// read reads lines of a word, an equals sign and a value.
func read(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if word, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			out[word] = value
		}
	}
	return out
}

func parse(status, config map[string]string) (daemon, error) {
	d := daemon{State: status["state"], Group: config["group_cipher"], Keys: strings.Fields(config["key_mgmt"]), Pairwise: strings.Fields(config["rsn_pairwise_cipher"])}
	if d.State == "" {
		return d, errors.New("hostapd says nothing of a state")
	}
	slices.Sort(d.Keys)
	for _, s := range []Standard{n11, ac11, ax11} {
		if status["ieee"+strings.Replace(string(s), ".", "", 1)] == "1" {
			d.Standard = s
		}
	}
	return d, nil
}

// busy is what hostapd does before a radio sends; empty if it does, or never will.
func (d daemon) busy() string {
	return map[string]string{
		"DFS": "it listens for radar", "ACS": "it looks for a channel", "HT_SCAN": "it looks for other access points",
		"COUNTRY_UPDATE": "it waits for the rules of the country",
	}[d.State]
}

// air is what the kernel says of an interface.
type air struct {
	Radio  *probe.Radio `json:"radio"`            // nil if there is none
	Driver string       `json:"driver,omitempty"` // of the card, as mt7996e
}

// radioOf asks what an interface sends.
var radioOf = &probe.Probe[string, air]{Name: "hostapd.radio", Look: func(ctx context.Context, h probe.Host, device string) (air, error) {
	r, err := h.Radio(ctx, device)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return air{}, nil
	case err != nil:
		return air{}, err
	}
	var driver string
	if uevent, err := h.ReadFile("/sys/class/net/" + device + "/device/uevent"); err == nil {
		driver = read(string(uevent))["DRIVER"]
	}
	return air{&r, driver}, nil
}}

// A passwordUse is a file with a password, or with the secret of a RADIUS server, and the SSID that has it.
type passwordUse struct {
	Radio  string `json:"radio"`
	Device string `json:"device"`
	File   string `json:"file"`
}

// passwordOf asks whether hostapd was started with the password that is in a file. No password leaves the
// probe.
var passwordOf = &probe.Probe[passwordUse, string]{Name: "hostapd.password", Look: lookPassword}

// The answers.
const (
	samePassword  = "that of the file"
	otherPassword = "another one"
	noPassword    = "none"
	noFile        = "no such file"
)

func lookPassword(_ context.Context, h probe.Host, q passwordUse) (string, error) {
	file, err := h.ReadFile(q.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noFile, nil
	case err != nil:
		return "", err
	}
	conf, err := h.ReadFile(confOf(q.Radio))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noPassword, nil // hostapd was not started
	case err != nil:
		return "", err
	}
	return compare(string(conf), q.Device, string(file)), nil
}

// radiusSecret is the word of hostapd.conf for the secret of a server.
const radiusSecret = "auth_server_shared_secret"

// confOf is the file that a radio's configuration is in. The unit makes it whenever it starts, with what is
// in secrets then.
func confOf(radio string) string { return "/run/hostapd/" + radio + ".hostapd.conf" }

// compare looks for the passwords of a device. NixOS's module makes one line of a file: for SAE without any
// line feed of it, and otherwise without those at its end. Of a secret [secretScript] takes the first line.
func compare(conf, device, file string) string {
	of, got := "", noPassword
	first, _, _ := strings.Cut(file, "\n")
	for line := range strings.Lines(conf) {
		word, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch {
		case word == "interface" || word == "bss":
			of = value
		case of != device:
		case word == "sae_password" && value == strings.ReplaceAll(file, "\n", ""), word == "wpa_passphrase" && value == strings.TrimRight(file, "\n"), word == radiusSecret && value == first:
			got = samePassword
		case word == "sae_password" || word == "wpa_passphrase" || word == radiusSecret:
			return otherPassword
		}
	}
	return got
}
