package zigbee2mqtt

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify/mqttask"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A bridgeQuestion is a network, by its topic, at a listener of the broker, and the user who asks.
type bridgeQuestion struct {
	Broker   mqttask.Server `json:"broker"`
	Topic    Topic          `json:"topic"`
	User     string         `json:"user"`
	Password string         `json:"password"` // the file
}

// A bridge is what the network says of itself. No password leaves the probe.
type bridge struct {
	Login   string `json:"login"`             // what becomes of the user at the broker, a word of mqttask, or of the file
	State   string `json:"state,omitempty"`   // what the broker retains: online or offline; empty if it retains none
	Healthy bool   `json:"healthy,omitempty"` // it has answered a question of now
	Info    *info  `json:"info,omitempty"`
}

// An info is what is judged of bridge/info, which has more than that.
type info struct {
	Version     string      `json:"version"`
	Coordinator coordinator `json:"coordinator"`
	Network     struct {
		Channel     int    `json:"channel"`
		PAN         int    `json:"pan_id"`
		ExtendedPAN string `json:"extended_pan_id"`
	} `json:"network"`
	Config struct {
		Serial struct {
			Port     string `json:"port"`
			Adapter  string `json:"adapter"`
			Baudrate int    `json:"baudrate,omitempty"`
			RTSCTS   bool   `json:"rtscts,omitempty"`
		} `json:"serial"`
		MQTT struct {
			CA string `json:"ca,omitempty"`
		} `json:"mqtt"`
	} `json:"config"`
}

// A coordinator is the adapter as it says itself that it is.
type coordinator struct {
	IEEE string `json:"ieee_address"`
	Type string `json:"type"`
}

const (
	noFile     = "no such file"
	noPassword = "no password in the file"
)

// bridgeOf hears what the broker retains of the network, and asks Zigbee2MQTT whether it is well: what is retained may
// be of a program that is gone, or hangs. The question changes nothing, and neither it nor the answer is retained.
var bridgeOf = &probe.Probe[bridgeQuestion, bridge]{Name: "zigbee2mqtt.bridge", Active: true, Look: lookBridge}

// hears is how long an answer is waited for. Zigbee2MQTT has one thread, which takes a second to tell of many devices.
const hears = 4 * time.Second

func lookBridge(ctx context.Context, h probe.Host, q bridgeQuestion) (bridge, error) {
	password, word, err := readPassword(h, q.Password)
	if err != nil || word != "" {
		return bridge{Login: word}, err
	}
	s, word, err := q.Broker.Connect(ctx, h, q.User, password)
	if err != nil || s == nil {
		return bridge{Login: word}, err
	}
	defer s.Close()
	if err := s.Within(hears); err != nil {
		return bridge{}, err
	}
	about := string(q.Topic) + "/bridge/"
	transaction := fmt.Sprintf("nbr-verify-%08x", rand.Uint32())
	err = s.Send(
		mqttask.NewSubscribe(1, about+"state", about+"info", about+"response/health_check"),
		mqttask.NewMessage(about+"request/health_check", fmt.Sprintf(`{"transaction":%q}`, transaction)),
		mqttask.Packet{Kind: mqttask.Pingreq},
	)
	if err != nil {
		return bridge{}, err
	}
	out := bridge{Login: mqttask.Taken}
	for retained := false; !retained || !out.Healthy; {
		p, err := s.Read()
		if probe.Silent(err) && retained {
			return out, nil // the broker has answered, and Zigbee2MQTT has not
		}
		if err != nil {
			return bridge{}, err
		}
		if p.Kind == mqttask.Pingresp {
			// What is retained came before it. Nothing answers for a program that is off.
			if retained = true; out.State != online {
				return out, nil
			}
			continue
		}
		topic, message, err := p.Message()
		if err != nil {
			continue
		}
		switch strings.TrimPrefix(topic, about) {
		case "state":
			out.State = stateOf(message)
		case "info":
			out.Info = readInfo(message)
		case "response/health_check":
			out.Healthy = out.Healthy || healthy(message, transaction)
		}
	}
	return out, nil
}

// online is the state of a program that is there.
const online = "online"

func stateOf(message []byte) string {
	var m struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(message, &m); err != nil || m.State == "" {
		return "no state"
	}
	return probe.Printable(m.State)
}

// readInfo is nil of what is none.
func readInfo(message []byte) *info {
	var i info
	if err := json.Unmarshal(message, &i); err != nil {
		return nil
	}
	for _, s := range []*string{&i.Version, &i.Coordinator.IEEE, &i.Coordinator.Type, &i.Network.ExtendedPAN, &i.Config.Serial.Port, &i.Config.Serial.Adapter, &i.Config.MQTT.CA} {
		*s = probe.Printable(*s)
	}
	return &i
}

// healthy tells whether a message answers the question of a transaction, and well.
func healthy(message []byte, transaction string) bool {
	var m struct {
		Data struct {
			Healthy bool `json:"healthy"`
		} `json:"data"`
		Status      string `json:"status"`
		Transaction string `json:"transaction"`
	}
	return json.Unmarshal(message, &m) == nil && m.Status == "ok" && m.Data.Healthy && m.Transaction == transaction
}

// firstLine is that of a file. A word says that there is none.
func firstLine(h probe.Host, file string) (line, word string, err error) {
	b, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noFile, nil
	}
	line, _, _ = strings.Cut(string(b), "\n")
	return line, "", err
}

func readPassword(h probe.Host, file string) (line, word string, err error) {
	line, word, err = firstLine(h, file)
	if err != nil || word != "" {
		return "", word, err
	}
	foreign := strings.IndexFunc(line, func(c rune) bool { return c < ' ' || c > '~' })
	if len(line) < shortestPassword || len(line) > longestPassword || foreign >= 0 {
		return "", noPassword, nil
	}
	return line, "", nil
}

// What is said of the key of a network.
const (
	sameKey  = "the key of the file"
	otherKey = "another key than the file's"
	ownKey   = "a key of Zigbee2MQTT's own settings"
	noKey    = "no key in the file"
	notRead  = "Zigbee2MQTT has read no key"
)

// keyOf compares the network key in a file with the one that Zigbee2MQTT has started with. No key leaves the probe.
//
// It does not ask coordinator_backup.json: zigbee-herdsman writes that one when it ends, once a day, or when the adapter
// says that it was reset (Controller.start), which deconz never does. So it has the key of before for a day after a
// change, in which the network has another one.
var keyOf = &probe.Probe[string, string]{Name: "zigbee2mqtt.key", Look: lookKey}

func lookKey(_ context.Context, h probe.Host, file string) (string, error) {
	line, word, err := firstLine(h, file)
	if err != nil || word != "" {
		return word, err
	}
	want, err := hex.DecodeString(line)
	if err != nil || len(want) != 16 {
		return noKey, nil
	}
	staged, word, err := firstLine(h, secrets)
	if err != nil {
		return "", err
	}
	settings, err := h.ReadFile(kept + "configuration.yaml")
	if word != "" || errors.Is(err, fs.ErrNotExist) {
		return notRead, nil
	}
	if err != nil {
		return "", err
	}
	var bytes []string
	for _, b := range want {
		bytes = append(bytes, strconv.Itoa(int(b)))
	}
	switch {
	case !strings.Contains(string(settings), reference(networkKeyName)):
		return ownKey, nil
	case staged != networkKeyName+": ["+strings.Join(bytes, ", ")+"]":
		return otherKey, nil
	}
	return sameKey, nil
}
