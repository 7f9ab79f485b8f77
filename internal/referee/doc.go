// Package referee asks the real programs whether what nbr generates is right: a spec goes in,
// Nix evaluates the modules that it becomes, and IfState, nft, Kea, Knot Resolver, sshd, chronyd
// and dhcpcd get the values in the form that NixOS gives them. Then packets, leases, answers
// and logins show that the router does what its spec says.
//
// There is nothing to import here: the package is its tests, on the benches of nstest and lab.
package referee
