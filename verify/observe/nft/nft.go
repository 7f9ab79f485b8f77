// Package nft looks at tables of nftables by nft's own eyes.
package nft
