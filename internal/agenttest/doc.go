// Package agenttest holds the tests of nbr agent as a program: under a storm of real
// events, between a service manager that is played and one that is real, and as the
// unit that nbr's NixOS module makes of it.
package agenttest
