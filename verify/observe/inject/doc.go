// Package inject has packets arrive at this machine as if other hosts had sent them, and
// hears what it answers. It knows links and the ways of packets as far as it has to, for
// silence to mean something.
package inject
