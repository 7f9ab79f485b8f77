package zigbee2mqtt

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/mqttask"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask the broker, and through it Zigbee2MQTT, what the network is: an adapter keeps a network of its own, which
// need not be that of the spec.
func (z *Zigbee) Checks(r *router.Router, p *verify.Plan) {
	id := z.Addr.String()
	p.UnitActive(id+"/unit", z.Def, unit+".service")
	hint := "journalctl -u " + unit + " -u " + staging + " -n 30"
	client := z.client(r)
	q := bridgeQuestion{mqttask.Server{At: client.At[0], TLS: client.TLS}, z.Topic.V, client.Name, z.Password.Target.Location()}
	ask := func(what, title string, from hcl.Range, want string, judge func(bridge) verify.Verdict) {
		c := verify.Check{ID: id + "/" + what, Title: title, From: from}
		verify.Asked(p, c, bridgeOf, q, want, hint, func(_ *state.State, b bridge) verify.Verdict {
			if b.Login != mqttask.Taken {
				return verify.NotAsked(want, fmt.Sprintf("the broker and %s: %s", client.Name, b.Login), hint)
			}
			return judge(b)
		})
	}
	ask("online", "Zigbee2MQTT at the broker", z.Password.Range, online, func(b bridge) verify.Verdict {
		if b.State == "" {
			return verify.Missing(online, hint)
		}
		return verify.Compare(online, b.State, hint)
	})
	const answers = "an answer"
	ask("answers", "Zigbee2MQTT answers", z.Def, answers, func(b bridge) verify.Verdict {
		if b.State != online {
			return verify.NotAsked(answers, "it is not online", hint)
		}
		return verify.Judge(b.Healthy, answers, map[bool]string{true: answers, false: mqttask.NoAnswer}[b.Healthy], hint)
	})
	// What the broker retains of a program that does not answer is of another time.
	tells := func(what, title string, from hcl.Range, want string, got func(*info) (string, string)) {
		ask(what, title, from, want, func(b bridge) verify.Verdict {
			if !b.Healthy || b.Info == nil {
				return verify.NotAsked(want, "it does not say", hint)
			}
			said, note := got(b.Info)
			v := verify.Compare(want, said, hint)
			v.Note = note
			return v
		})
	}
	tells("adapter", "the adapter", z.Adapter.Range, string(z.Adapter.V), func(i *info) (string, string) {
		if i.Coordinator.Type == "" {
			return "no coordinator", ""
		}
		return i.Config.Serial.Adapter, fmt.Sprintf("%s %s, Zigbee2MQTT %s", i.Coordinator.Type, i.Coordinator.IEEE, i.Version)
	})
	tells("port", "where the adapter is", z.Port.Range, z.Port.V.String(), func(i *info) (string, string) { return i.Config.Serial.Port, "" })
	if z.Baudrate.Set {
		tells("baudrate", "the speed of its serial port", z.Baudrate.Range, strconv.Itoa(int(z.Baudrate.V)), func(i *info) (string, string) {
			return strconv.Itoa(i.Config.Serial.Baudrate), ""
		})
	}
	if z.RTSCTS.Set {
		tells("rtscts", "flow control of its serial port", z.RTSCTS.Range, verify.OnOff(z.RTSCTS.V), func(i *info) (string, string) {
			return verify.OnOff(i.Config.Serial.RTSCTS), ""
		})
	}
	if z.CA.Set {
		tells("ca", "the authority of the broker's certificate", z.CA.Range, string(z.CA.V), func(i *info) (string, string) { return i.Config.MQTT.CA, "" })
	}
	tells("channel", "the channel of the network", z.Channel.Range, strconv.Itoa(int(z.Channel.V)), func(i *info) (string, string) {
		return strconv.Itoa(i.Network.Channel), ""
	})
	tells("pan_id", "the PAN of the network", z.PAN.Range, z.PAN.V.String(), func(i *info) (string, string) {
		return fmt.Sprintf("0x%04x", i.Network.PAN), ""
	})
	tells("extended_pan_id", "the extended PAN of the network", z.ExtendedPAN.Range, z.ExtendedPAN.V.String(), func(i *info) (string, string) {
		return strings.ToLower(i.Network.ExtendedPAN), ""
	})
	z.checkKey(p)
}

// checkKey adds the check of the network key: the file may have been replaced since Zigbee2MQTT has started.
func (z *Zigbee) checkKey(p *verify.Plan) {
	if !z.Adapter.V.comparesKey() {
		return
	}
	file := z.NetworkKey.Target.Location()
	hint := fmt.Sprintf("ls -l %s %s; journalctl -u %s -u %s -n 30", file, secrets, staging, unit)
	c := verify.Check{ID: z.Addr.String() + "/network_key", Title: "the network key", From: z.NetworkKey.Range}
	verify.Asked(p, c, keyOf, file, sameKey, hint, func(_ *state.State, said string) verify.Verdict {
		if said == notRead {
			return verify.NotAsked(sameKey, said, hint)
		}
		return verify.Compare(sameKey, said, hint)
	})
}
