// Package host is what programs' own probes may do on this machine: dial, exchange packets, read
// files, run programs.
package host
