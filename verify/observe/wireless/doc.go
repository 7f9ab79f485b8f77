// Package wireless asks the kernel what interfaces of Wi-Fi do, by nl80211 (linux/nl80211.h).
package wireless
