package exporter

import "github.com/nbr-dev/nbr/router"

// panels are what dashboards show of what each exporter serves.
var panels = map[Subject][]router.Panel{
	node: {
		{
			Job: string(node), Title: "Processors", Unit: "percentunit", Doc: "The share of time in which they are busy.",
			Queries: []router.Query{{
				Expr:   `1 - avg(rate(node_cpu_seconds_total{host="$host",mode="idle"}[$__rate_interval]))`,
				Legend: "busy",
			}},
		},
		{
			Job: string(node), Title: "Memory", Unit: "percentunit", Doc: "The share that the kernel could not give to a program.",
			Queries: []router.Query{{
				Expr:   `1 - node_memory_MemAvailable_bytes{host="$host"} / node_memory_MemTotal_bytes{host="$host"}`,
				Legend: "used",
			}},
		},
		{
			Job: string(node), Title: "Links", Unit: "bps", Doc: "What each link has received, and below the axis what it has sent. What the switch or the offload forwards by itself is counted by some drivers only.",
			Queries: []router.Query{
				{Expr: `rate(node_network_receive_bytes_total{host="$host",device!="lo"}[$__rate_interval]) * 8`, Legend: "{{device}} in"},
				{Expr: `-rate(node_network_transmit_bytes_total{host="$host",device!="lo"}[$__rate_interval]) * 8`, Legend: "{{device}} out"},
			},
		},
		{
			Job: string(node), Title: "Connections", Doc: "Flows that conntrack knows, and how many it can: beyond that packets of new ones are dropped.",
			Queries: []router.Query{
				{Expr: `node_nf_conntrack_entries{host="$host"}`, Legend: "known"},
				{Expr: `node_nf_conntrack_entries_limit{host="$host"}`, Legend: "limit"},
			},
		},
		{
			Job: string(node), Title: "File systems", Unit: "percentunit", Doc: "How full each is.",
			Queries: []router.Query{{
				Expr:   `1 - node_filesystem_avail_bytes{host="$host",fstype!~"tmpfs|ramfs"} / node_filesystem_size_bytes{host="$host",fstype!~"tmpfs|ramfs"}`,
				Legend: "{{mountpoint}}",
			}},
		},
	},
	frr: {
		{
			Job: string(frr), Title: "Sessions of BGP", Doc: "1 for a session that is established.",
			Queries: []router.Query{{Expr: `frr_bgp_peer_state{host="$host"}`, Legend: "{{peer}} {{afi}}"}},
		},
		{
			Job: string(frr), Title: "Prefixes by BGP", Doc: "How many each neighbour has announced.",
			Queries: []router.Query{{Expr: `frr_bgp_peer_prefixes_received_count_total{host="$host"}`, Legend: "{{peer}} {{afi}}"}},
		},
		{
			Job: string(frr), Title: "Neighbours of OSPF", Doc: "Adjacencies of each link.",
			Queries: []router.Query{{Expr: `frr_ospf_neighbor_adjacencies{host="$host"}`, Legend: "{{iface}}"}},
		},
	},
	knot: {
		{
			Job: string(knot), Title: "Serial numbers of zones", Doc: "Each goes up with a change of its zone.",
			Queries: []router.Query{{Expr: `knot_zone_serial{host="$host"}`, Legend: "{{zone}}"}},
		},
	},
}
